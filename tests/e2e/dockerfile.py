# SPDX-License-Identifier: Apache-2.0
"""Reads a Dockerfile: its stages and their instructions, as docker_rules.py judges them and package_deb_test.py runs them."""
import dataclasses
import json
import re


@dataclasses.dataclass
class Instruction:
    line: int
    name: str
    flags: dict   # --mount=...: {"mount": "..."}
    text: str     # the rest, continued lines joined

    def words(self):
        """Of the JSON form; None: it is the shell form."""
        if not self.text.startswith("["):
            return None
        return json.loads(self.text)


@dataclasses.dataclass
class Stage:
    image: str
    name: str
    instructions: list


def read(text):
    stages, arguments, joined, start = [], [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start if joined else number
        joined += line.strip().removesuffix("\\")
        if line.rstrip().endswith("\\"):
            continue
        instruction, joined = parse(start, joined), ""
        if instruction.name == "FROM":
            image, _, name = re.fullmatch(r"(\S+)(\s+[Aa][Ss]\s+(\S+))?", instruction.text).groups()
            stages.append(Stage(image, name or "", [instruction]))
        else:
            (stages[-1].instructions if stages else arguments).append(instruction)
    return stages


def parse(line, text):
    name, _, rest = text.partition(" ")
    flags = {}
    rest = rest.strip()
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        key, _, value = flag[2:].partition("=")
        flags[key] = value
        rest = rest.strip()
    return Instruction(line, name.upper(), flags, rest)
