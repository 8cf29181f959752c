"""Keys for the processes of one command, so that only these processes can talk to each other.

Whoever reaches a Dask scheduler can run code as its user, and every user of a machine reaches its loopback interface.
So the workers of this machine speak TLS. A certificate is made for each command. It is its own only authority, and the
workers get it with their other arguments. ``distributed.Security.temporary`` does the same with RSA keys, but then each
connection takes ten times as long.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = timedelta(days=365)  # longer than any study
EARLIER = timedelta(days=1)  # the certificate is valid from a day before it is made, because a clock may be set back


def make() -> dict[str, str]:
    """Return what ``distributed.Security`` takes: one new certificate and key, in memory, for every role."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rarelabels")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + VALID)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    roles = ("scheduler", "worker", "client")
    by_role = {f"tls_{role}_cert": public for role in roles} | {f"tls_{role}_key": secret for role in roles}
    return {"tls_ca_file": public, **by_role}
