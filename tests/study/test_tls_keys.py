"""The keys of one command: new each time, for every role, and trusted by nobody else."""

from __future__ import annotations

from cryptography import x509

from rarelabels.study import tls_keys


def test_keys_are_new_for_each_command() -> None:
    first, second = tls_keys.make(), tls_keys.make()
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_every_role_has_the_certificate_that_is_trusted() -> None:
    made = tls_keys.make()
    certificates = {made[f"tls_{role}_cert"] for role in ("scheduler", "worker", "client")}
    assert certificates == {made["tls_ca_file"]}
    certificate = x509.load_pem_x509_certificate(made["tls_ca_file"].encode())
    assert certificate.issuer == certificate.subject
    certificate.verify_directly_issued_by(certificate)
