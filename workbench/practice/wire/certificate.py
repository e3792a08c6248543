"""The certificate that a practice exchange shows: self-signed, for its hosts, its key for the owner only."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["certify", "server_context"]

_LIFE: Final = timedelta(days=365)
_SPARE: Final = timedelta(days=1)  # one that ends sooner than this is made anew


def certify(folder: Path, hosts: Sequence[str]) -> tuple[Path, Path]:
    """Give a certificate for hosts and its key; what lies in the folder is used again while it fits.

    Parameters
    ----------
    folder : Path
        Where `certificate.pem` (for everyone) and `key.pem` (for the owner only) are kept.
    hosts : sequence of str
        The names that it is good for; a client refuses every other one.

    Returns
    -------
    certificate, key : Path

    Raises
    ------
    ConfigError
        The folder cannot be written.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    try:
        if not _fits(certificate, key, hosts):
            _make(certificate, key, hosts)
    except OSError as error:
        raise ConfigError(
            f"the practice exchange's certificate cannot be written to {folder}: {error}; name a folder that you may "
            "write to"
        ) from error
    return certificate, key


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Give the TLS settings of a server that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def _fits(certificate: Path, key: Path, hosts: Sequence[str]) -> bool:
    """Tell whether there is one for exactly these hosts that lasts and whose key nobody else may read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not certificate.exists() or not key.exists() or key.stat().st_mode & 0o077:
        return False
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private: Any = load_pem_private_key(key.read_bytes(), None)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, x509.ExtensionNotFound):
        return False
    same = sorted(names.get_values_for_type(x509.DNSName)) == sorted(hosts)
    lasts = found.not_valid_after_utc > datetime.now(UTC) + _SPARE
    return same and lasts and private.public_key() == found.public_key()


def _make(certificate: Path, key: Path, hosts: Sequence[str]) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate.parent.mkdir(parents=True, exist_ok=True)
    _write(key, pem, 0o600)
    _write(certificate, _signed(private, hosts).public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file whose permissions hold from its first moment, and swap it in."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    fresh.replace(path)


def _signed(private: EllipticCurvePrivateKey, hosts: Sequence[str]) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    public, now = private.public_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "workbench practice exchange")])
    usage = dict.fromkeys(
        "content_commitment key_encipherment data_encipherment key_agreement crl_sign encipher_only "
        "decipher_only".split(),
        False,
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),  # it vouches for itself
        (x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(private, hashes.SHA256())
