# SPDX-License-Identifier: Apache-2.0
"""docker_rules_test.py: docker_rules.py finds nothing wrong with what is there, and finds each fault that is put in."""
import glob
import os
import sys

import docker_rules as rules

DOCKER = os.path.join(rules.TOP, "docker")
# What is replaced in the Dockerfile, by what, and a word of what has to be said.
DOCKERFILE = [
    ("FROM debian:12-slim AS server", "FROM debian AS server", "without a tag"),
    ("FROM debian:12-slim AS server", "FROM debian:latest AS server", "without a tag"),
    ("COPY --chmod", "ADD --chmod", "ADD unpacks"),
    ("EXPOSE 5151", "ENV DB_PASSWORD=x", "history"),
    ("EXPOSE 5151", "COPY docker/secrets/db /x", "layer"),
    ("EXPOSE 5151", "MAINTAINER me", "no instruction"),
    ("EXPOSE 5151", "WORKDIR here", "relative"),
    ("EXPOSE 5151", "RUN sudo true", "sudo"),
    ("EXPOSE 5151", "RUN cd /x && true", "WORKDIR does it"),
    ("EXPOSE 5151", "RUN curl -O http://127.0.0.1/x", "downloads"),
    ("EXPOSE 5151", "RUN apt-get update", "alone"),
    ("EXPOSE 5151", "RUN apt install x", "not for scripts"),
    ("EXPOSE 5151", "COPY . /src", "all of the sources"),
    ("apt-get update \\\n    && apt-get install -y --no-install-recommends ca", "apt-get install -y --no-install-recommends ca", "without update"),
    ("install -y --no", "install --no", "nobody to ask"),
    ("--no-install-recommends ca", "ca", "grows"),
    (" \\\n    && rm -rf /var/lib/apt/lists/*", "", "lists in its layer"),
    ('SHELL ["/bin/bash", "-euo", "pipefail", "-c"]', "RUN true | false", "pipe"),
    ("from=build", "from=nothing", "no stage before it"),
    ("USER 951:951", "USER pep", "0 can be checked"),
    ("USER 951:951\nVOLUME", "VOLUME", "0 can be checked"),
    ("HEALTHCHECK --", "LABEL x=", "hangs"),
    ("STOPSIGNAL SIGTERM", "", "chance"),
    ('ENTRYPOINT ["/usr/sbin/pep-server"]', "", "does not know"),
    ('ENTRYPOINT ["/usr/sbin/pep-server"]', "ENTRYPOINT /usr/sbin/pep-server", "process 1"),
    ("AS fcu", "AS server", "same name"),
]
COMPOSE = [
    ("read_only: true", "readonly: true", "typo"),
    ("read_only: true", "privileged: true\n    read_only: true", "whole machine"),
    ("read_only: true", "read_only: false", "no rights at all"),
    ("cap_drop: [ALL]", "cap_drop: []", "no rights at all"),
    ("image: postgres:15-bookworm", "image: postgres", "without a tag"),
    ("127.0.0.1:5151:5151", "5151:5151", "open to every network"),
    ("POSTGRES_PASSWORD_FILE: /run/secrets/database-password", "POSTGRES_PASSWORD: x", "everybody who may see"),
    ("POSTGRES_PASSWORD_FILE: /run/secrets/database-password", "POSTGRES_PASSWORD_FILE: /run/secrets/other", "no secret of this"),
    ("condition: service_healthy", "condition: service_started", "healthy"),
    ("    healthcheck:", "    labels:", "healthy"),
    ("stop_grace_period: 150s", "stop_grace_period: 10s", "150 s"),
    ("/pep.yaml:ro", "/pep.yaml", "add :ro"),
    ("./conf/postgres.yaml", "./conf/none.yaml", "not there"),
    ("networks: [line, database]", "networks: [line, other]", "not defined"),
    ("target: server", "target: none", "no stage"),
    ("dockerfile: docker/Dockerfile", "dockerfile: docker/None", "there is no"),
    ("file: ./secrets/db-password", "file: ./db-password", "neither git"),
    ("interval: 10s", "intervall: 10s", "no such key"),
    ("\nvolumes:\n", "\nversion: '3'\nvolumes:\n", "these files use"),
]


def read(name):
    with open(os.path.join(DOCKER, name), encoding="utf-8") as file:
        return file.read()


def main():
    image, compose = read("Dockerfile"), read("compose.postgres.yaml")
    assert rules.judge_dockerfile(image) == []
    for path in glob.glob(f"{DOCKER}/compose.*.yaml"):
        assert rules.judge_compose(read(path), DOCKER) == [], path
    count = 0
    for text, cases, judge in ((image, DOCKERFILE, rules.judge_dockerfile), (compose, COMPOSE, lambda t: rules.judge_compose(t, DOCKER))):
        for old, new, said in cases:
            assert old in text, old
            faults = judge(text.replace(old, new, 1))
            assert any(said in fault for fault in faults), f"{old!r} -> {new!r}: {faults}"
            count += 1
    print(f"{count + 1} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
