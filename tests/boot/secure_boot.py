"""Keys for Secure Boot, enrolled by writing them into the variables of OVMF as the firmware itself
keeps them in flash memory [EDK II MdeModulePkg "VariableFormat.h"]."""

import struct
import subprocess
import uuid

# Where the first variable is, behind the headers of volume and store.
FIRST_VARIABLE = 0x64
VARIABLE = struct.Struct("<HBBIQ16sIII16s")
START, ADDED = 0x55AA, 0x3F
# Non-volatile, for boot services; and for run-time services, with time-based authentication.
BOOT, AUTHENTICATED = 0x3, 0x27
TIME = struct.pack("<HBBBBBBIhBB", 2020, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SECURE_BOOT_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
OWNER = uuid.UUID("5a7b9c1d-0000-4000-8000-626f6f74696d")


def make_key(folder, name):
    """A private key and its certificate: paths of PEM files."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                    "-subj", f"/CN={name}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return key, certificate


def signature_list(certificate):
    der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    size = 16 + len(der)
    return X509.bytes_le + struct.pack("<III", 28 + size, 0, size) + OWNER.bytes_le + der


def variable(name, guid, attributes, data):
    text = name.encode("utf-16-le") + b"\0\0"
    time = TIME if attributes == AUTHENTICATED else bytes(16)
    row = VARIABLE.pack(START, ADDED, 0, attributes, 0, time, 0, len(text), len(data),
                        guid.bytes_le) + text + data
    return row + b"\xff" * (-len(row) % 4)


def enroll(template, certificate, path):
    """Variables in which this certificate is platform key, key exchange key and signature data
    base, made of those that have none."""
    data = bytearray(template.read_bytes())
    keys = signature_list(certificate)
    rows = b"".join([variable("PK", GLOBAL, AUTHENTICATED, keys),
                     variable("KEK", GLOBAL, AUTHENTICATED, keys),
                     variable("db", IMAGE_SECURITY, AUTHENTICATED, keys),
                     variable("SecureBootEnable", SECURE_BOOT_ENABLE, BOOT, b"\1")])
    assert set(data[FIRST_VARIABLE:FIRST_VARIABLE + len(rows)]) == {0xFF}, "it has variables"
    data[FIRST_VARIABLE:FIRST_VARIABLE + len(rows)] = rows
    path.write_bytes(data)
    return path
