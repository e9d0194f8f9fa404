"""A foreign library in a Node process of its own; one line of JSON in, one out."""

import json
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/relying-parties.md"


def written(begin: str, language: str) -> str:
    """Return the block of code in the document that begins so."""
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if block.startswith(begin)]
    return found


class Library:
    """A relying party that runs until it is closed."""

    def __init__(self, script: str) -> None:
        assert (HERE / "node_modules").is_dir(), "run tests/tools/node-packages.sh"
        self.process = subprocess.Popen(
            ["node", script], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.facts = self._read()
        self.origin = self.facts["origin"]

    def configure(self, **facts) -> str:
        """Tell it where the provider is; returns the issuer it discovered."""
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()
        return self._read()["discovered"]

    def _read(self):
        line = self.process.stdout.readline()
        assert line, "the relying party ended: its last words stand above"
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
