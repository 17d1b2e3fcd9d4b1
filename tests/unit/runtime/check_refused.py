"""Compile a source that must not compile, and look for the reason.

    check_refused.py REASON SOURCE COMPILER ARGUMENTS...

The same source without its floating point (-DWITHOUT_FLOAT) has to compile: else the reason might
lie in the arguments.
"""

import re
import subprocess
import sys


def compile_source(*arguments):
    reason, source, *compiler = sys.argv[1:]
    command = [*compiler, *arguments, "-c", source, "-o", "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True)


def main():
    plain = compile_source("-DWITHOUT_FLOAT")
    if plain.returncode != 0:
        print(f"does not compile without floating point either:\n{plain.stderr}", file=sys.stderr)
        return 1
    refused = compile_source()
    if refused.returncode == 0:
        print("compiled, and should not have", file=sys.stderr)
        return 1
    if not re.search(sys.argv[1], refused.stderr):
        print(f"refused for another reason:\n{refused.stderr}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
