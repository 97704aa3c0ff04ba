//! TLS from files: server certificates, and the authorities whose clients may call.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Once},
};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsSettings;

/// Certificates or keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file that is missing, unreadable or holds nothing of the kind.
    #[error("cannot read {what} from {}: {reason}", path.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A key that does not belong to its certificate, or something else rustls does not accept.
    #[error("cannot use the certificate in {}: {source}", path.display())]
    Rejected {
        /// The certificate file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// Makes `ring` the process's cryptography for TLS. May be called any number of times; the servers and clients of this
/// crate call it themselves.
pub fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only when somebody else has installed one, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An acceptor that offers `alpn` to clients, most wanted first.
pub(crate) fn acceptor(settings: &TlsSettings, alpn: &[&[u8]]) -> Result<TlsAcceptor, TlsError> {
    install_provider();
    let chain = certificates("a certificate", &settings.cert_file)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key_file).map_err(|error| TlsError::File {
        what: "a private key",
        path: settings.key_file.clone(),
        reason: error.to_string(),
    })?;
    let rejected = |source| TlsError::Rejected { path: settings.cert_file.clone(), source };
    let builder = match &settings.client_ca_file {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("an authority", path)? {
                roots.add(certificate).map_err(rejected)?;
            }
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(|error| {
                TlsError::File { what: "an authority", path: path.clone(), reason: error.to_string() }
            })?;
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(rejected)?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason: String| TlsError::File { what, path: path.to_owned(), reason };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| failed(error.to_string()))?;
    if found.is_empty() { Err(failed("no certificate inside".to_owned())) } else { Ok(found) }
}
