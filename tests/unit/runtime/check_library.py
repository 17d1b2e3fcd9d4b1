"""Look into the built runtime: what it calls, and that it never calls itself.

    check_library.py NM OBJDUMP LIBRARY RENAME_HEADER

A compiler may turn the loop of memcpy() into a call of memcpy(), or a division of 128 bits into a
call of the function that was to carry it out: the source looks right, and the machine hangs.
"""

import re
import subprocess
import sys

def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(nm, library):
    """The names that the library defines for others, and those it needs."""
    defined, undefined = set(), set()
    for line in run(nm, "-P", library).splitlines():
        fields = line.split()
        if len(fields) < 2 or len(fields[1]) != 1:
            continue  # the heading of a member
        if fields[1] in "Uwv":
            undefined.add(fields[0])
        elif fields[1].isupper():
            defined.add(fields[0])
    return defined, undefined


def calls(objdump, library):
    """function -> the functions that its instructions name, by relocation or by address.

    A jump within a function needs no relocation and is a loop; a jump through the function's own
    symbol is recursion. The rarely executed part of a function is a function here, NAME.cold, and
    its way back is a jump relative to a section.
    """
    graph, function, mnemonic = {}, None, ""
    for line in run(objdump, "-d", "-r", "--no-show-raw-insn", library).splitlines():
        if heading := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            function = heading[1]
            graph.setdefault(function, set())
        elif relocation := re.match(r"\s+[0-9a-f]+: R_X86_64_\w+\s+([\w.$]+)", line):
            target = re.sub(r"^\.text\.unlikely\.(.*)", r"\1.cold", relocation[1])
            target = re.sub(r"^\.text\.", "", target)
            is_way_back = relocation[1].startswith(".text.") and mnemonic.startswith("j")
            if not (is_way_back and function == target + ".cold"):
                graph[function].add(target)
        elif instruction := re.match(r"\s+[0-9a-f]+:\s+(\w+)(?:\s.*<([\w.$]+)(\+0x\w+)?>)?", line):
            mnemonic, target, offset = instruction.groups()
            # A target that is still to be relocated is shown as the next instruction's address.
            if target and (target != function or (mnemonic == "call" and not offset)):
                graph[function].add(target)
    return graph


def cycle(graph):
    """A list of functions of which each calls the next, and the last is the first; or None."""
    done = set()

    def visit(function, path):
        if function in path:
            return path[path.index(function):] + [function]
        if function in done:
            return None
        for callee in sorted(graph.get(function, ())):
            if found := visit(callee, path + [function]):
                return found
        done.add(function)
        return None

    return next((found for function in sorted(graph) if (found := visit(function, []))), None)


def main():
    nm, objdump, library, rename_header = sys.argv[1:]
    defined, undefined = symbols(nm, library)
    graph = calls(objdump, library)
    with open(rename_header, encoding="utf-8") as header:
        renamed = set(re.findall(r"#define (\w+) runtime_", header.read()))
    errors = []

    for name in ("memcpy", "memmove", "memset", "memcmp", "__udivti3", "__adddf3"):
        if name not in defined or name not in graph:
            errors.append(f"{name} is missing: the check sees nothing")
    for name in sorted(undefined - defined):
        errors.append(f"needs {name}, which it does not define")
    if found := cycle(graph):
        errors.append("calls itself: " + " -> ".join(found))
    for name in sorted(defined - renamed):
        errors.append(f"{name} is not in rename.h: the native tests may test the host's instead")
    for name in sorted(renamed - defined):
        errors.append(f"{name} is in rename.h only")
    for error in errors:
        print(f"{library}: {error}", file=sys.stderr)
    return 1 if errors else 0


sys.exit(main())
