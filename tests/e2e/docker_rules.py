#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docker_rules.py: judges docker/Dockerfile and docker/compose.*.yaml where there is no Docker to build them. Each rule has its reason; one line for
each fault, exit 1 if there is one. scripts/lint runs it; docker_rules_test.py shows each rule something that breaks it."""
import glob
import os
import re
import sys

import yaml

import dockerfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECRET = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key)")
KNOWN = {"FROM", "RUN", "CMD", "LABEL", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER", "WORKDIR", "ARG", "STOPSIGNAL",
         "HEALTHCHECK", "SHELL"}
TOP_KEYS = {"name", "services", "volumes", "networks", "secrets"}
SERVICE_KEYS = {"image", "build", "command", "read_only", "tmpfs", "cap_drop", "security_opt", "restart", "stop_grace_period", "mem_limit",
                "pids_limit", "ports", "volumes", "secrets", "depends_on", "networks", "environment", "healthcheck"}
HEALTH_KEYS = {"test", "interval", "timeout", "start_period", "start_interval", "retries"}


def judge_instruction(instruction, stage):
    text, name = instruction.text, instruction.name
    if name not in KNOWN:
        yield f"{name} is no instruction, or one that is not used any more"
    if name == "FROM" and stage.image != "scratch" and not re.fullmatch(r"[\w./-]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})", stage.image):
        yield f"FROM {stage.image}: without a tag, or with latest, tomorrow's build is another"
    if name == "ADD":
        yield "ADD unpacks and downloads on its own: COPY says what it does"
    if name in ("ENV", "ARG") and SECRET.search(text):
        yield f"{name} {text.split('=')[0]}: it stays in the image's history for everybody to read"
    if name == "COPY" and SECRET.search(text):
        yield "COPY of a secret: it stays in a layer, also when a later one removes it"
    if name in ("CMD", "ENTRYPOINT") and instruction.words() is None:
        yield f"{name} in shell form: the shell is process 1, and a stop's signal does not reach the server"
    if name == "WORKDIR" and not text.startswith("/"):
        yield "WORKDIR is relative: it depends on what stood before"
    if name == "RUN":
        yield from judge_run(text, stage)


def judge_run(text, stage):
    if re.search(r"\bsudo\b", text):
        yield "RUN with sudo: USER says who runs it"
    if re.search(r"\bcd\s", text):
        yield "RUN with cd: WORKDIR does it, and says so"
    if re.search(r"\b(curl|wget)\b", text):
        yield "RUN that downloads: what it gets is not pinned, and the tool stays in the image"
    if "apt-get update" in text and "apt-get install" not in text:
        yield "RUN apt-get update alone: its layer is kept, and installs old versions later"
    if re.search(r"\bapt\s+(install|update)", text):
        yield "RUN with apt: its command line is not for scripts"
    if "apt-get install" in text:
        if "apt-get update" not in text:
            yield "RUN apt-get install without update: the image has no lists"
        if not re.search(r"(-y|--yes)\b", text):
            yield "RUN apt-get install without -y: there is nobody to ask"
        if "--no-install-recommends" not in text:
            yield "RUN apt-get install without --no-install-recommends: the image grows by what nobody asked for"
        if "rm -rf /var/lib/apt/lists" not in text:
            yield "RUN apt-get install that leaves the package lists in its layer"
    if "|" in text.replace("||", "") and not any(i.name == "SHELL" and "pipefail" in i.text for i in stage.instructions):
        yield "RUN with a pipe, without SHELL with pipefail: the first command's failure is not seen"


def judge_stages(stages):
    names = [stage.name for stage in stages if stage.name]
    if len(names) != len(set(names)):
        yield 0, "two stages have the same name"
    for number, stage in enumerate(stages):
        inherited = stage.image in names[:number]
        for instruction in stage.instructions:
            source = instruction.flags.get("from") or dict(p.split("=", 1) for p in instruction.flags.get("mount", "").split(",") if p).get("from")
            if source and source not in names[:number]:
                yield instruction.line, f"{instruction.name} takes from {source}, which is no stage before it"
            for fault in judge_instruction(instruction, stage):
                if not (instruction.name == "FROM" and inherited):
                    yield instruction.line, fault
        if stage.name == "build":
            continue
        last = {i.name: i for i in stage.instructions}
        line = stage.instructions[0].line
        user = last["USER"].text if "USER" in last else ""
        if not inherited or user:
            if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user):
                yield line, f"stage {stage.name} ends as user \"{user}\": a number that is not 0 can be checked not to be root"
        for name, why in (("HEALTHCHECK", "nobody sees that the server hangs"), ("STOPSIGNAL", "which signal is a stop is left to chance"),
                          ("ENTRYPOINT", "the image does not know its program")):
            if not inherited and name not in last:
                yield line, f"stage {stage.name} has no {name}: {why}"
        for instruction in stage.instructions:
            if not inherited and instruction.name == "COPY" and instruction.text.split()[0] == ".":
                yield instruction.line, f"stage {stage.name} has all of the sources in it: copy what it needs"


def judge_dockerfile(text):
    return [f"{line}: {fault}" for line, fault in judge_stages(dockerfile.read(text))]


def judge_service(name, service, composition, folder):
    for key in sorted(set(service) - SERVICE_KEYS):
        yield f"{name}.{key}: not a key that these files use; a typo is not noticed by anybody else"
    if not service.get("image") or re.search(r"(^[^:]+|:latest)$", service.get("image", "")):
        yield f"{name}.image: without a tag, or with latest, tomorrow's start is another"
    if service.get("privileged") or service.get("network_mode") == "host":
        yield f"{name}: it has the rights of the whole machine"
    for kind in ("volumes", "networks", "secrets"):
        for entry in service.get(kind, []):
            word = entry.split(":")[0]
            if kind == "volumes" and word.startswith((".", "/", "$")):
                if word.startswith(".") and not os.path.exists(os.path.join(folder, word)):
                    yield f"{name}.volumes: {word} is not there"
                if not entry.endswith(":ro"):
                    yield f"{name}.volumes: {entry} can be written by the container: add :ro"
            elif word not in (composition.get(kind) or {}):
                yield f"{name}.{kind}: {word} is not defined below {kind}"
    for port in service.get("ports", []):
        if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)):
            yield f"{name}.ports: {port}: open to every network, and past the machine's firewall; name 127.0.0.1"
    for key, value in (service.get("environment") or {}).items():
        if SECRET.search(key) and not key.endswith("_FILE"):
            yield f"{name}.environment.{key}: everybody who may see the container can read it; take a secret and _FILE"
        if key.endswith("_FILE") and value.removeprefix("/run/secrets/") not in service.get("secrets", []):
            yield f"{name}.environment.{key}: {value} is no secret of this service"
    for other, how in (service.get("depends_on") or {}).items():
        if how.get("condition") != "service_healthy" or "healthcheck" not in composition["services"].get(other, {}):
            yield f"{name}.depends_on.{other}: wait until it is healthy, which needs its healthcheck"
    health = service.get("healthcheck", {})
    for key in sorted(set(health) - HEALTH_KEYS):
        yield f"{name}.healthcheck.{key}: there is no such key"
    if "build" in service:
        yield from judge_ours(name, service, folder)


def judge_ours(name, service, folder):
    if not service.get("read_only") or service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", []):
        yield f"{name}: it needs no rights at all: read_only, cap_drop: [ALL], security_opt: no-new-privileges:true"
    if int(re.sub(r"\D", "", str(service.get("stop_grace_period", "0")))) < 150:
        yield f"{name}.stop_grace_period: less than the 150 s in which injections are finished"
    build = service["build"]
    path = os.path.normpath(os.path.join(folder, build.get("context", "."), build.get("dockerfile", "Dockerfile")))
    if not os.path.exists(path):
        yield f"{name}.build.dockerfile: there is no {path}"
        return
    with open(path, encoding="utf-8") as file:
        if build.get("target") not in [stage.name for stage in dockerfile.read(file.read())]:
            yield f"{name}.build.target: {build.get('target')} is no stage of the Dockerfile"


def judge_compose(text, folder):
    composition = yaml.safe_load(text)
    faults = [f"{key}: not a key that these files use" for key in sorted(set(composition) - TOP_KEYS)]
    for name, service in composition["services"].items():
        faults += judge_service(name, service, composition, folder)
    for name, secret in (composition.get("secrets") or {}).items():
        if not str(secret.get("file", "")).startswith("./secrets/"):
            faults.append(f"secrets.{name}: a file in ./secrets, which neither git nor the build sees")
    return faults


def main():
    found = []
    with open(f"{TOP}/docker/Dockerfile", encoding="utf-8") as file:
        found += [f"docker/Dockerfile:{fault}" for fault in judge_dockerfile(file.read())]
    files = sorted(glob.glob(f"{TOP}/docker/compose.*.yaml"))
    for path in files:
        with open(path, encoding="utf-8") as file:
            found += [f"docker/{os.path.basename(path)}: {fault}" for fault in judge_compose(file.read(), f"{TOP}/docker")]
    with open(f"{TOP}/.dockerignore", encoding="utf-8") as file:
        ignored = file.read().split()
    found += [f".dockerignore: {name} is not in it" for name in (".git", "build", "web/node_modules", "docker/secrets") if name not in ignored]
    print("\n".join(found) or f"docker: ok: a Dockerfile and {len(files)} compose files")
    sys.exit(1 if found or not files else 0)


if __name__ == "__main__":
    main()
