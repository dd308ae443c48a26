"""The certificate with which the server proves who it is, for https."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from edge_app.errors import UserError


class CertificateError(UserError):
    """A certificate or a key that cannot be used."""


class Certificate(NamedTuple):
    """Two files in PEM format."""

    certificate: Path
    """The certificate, or a chain of them, the server's own first."""
    key: Path
    """Its private key, without a passphrase."""


def read_certificate(certificate: Path | None, key: Path | None) -> Certificate | None:
    """Check a certificate and its key.

    Returns:
        Both; None if neither is given.

    Raises:
        CertificateError: one of the two is missing or unreadable, or they do not fit together.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CertificateError("For https the app needs both --certificate FILE and --key FILE.")
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CertificateError(f"The file {path} cannot be read ({error.strerror}).") from error
    try:
        # A passphrase is not asked for: nobody is there to type it when the device starts.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(
            f"{certificate} and {key} are not a certificate and its key in PEM format, without a "
            f"passphrase ({error})."
        ) from error
    return Certificate(certificate, key)
