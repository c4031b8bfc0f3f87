//! The certificate that services show.

use crate::failure::Failure;
use crate::setup;
use concord_settings::{Root, Settings};
use rustls::ServerConfig;
use std::sync::Arc;

/// TLS with the administrator's certificate, an ordered one, or a self-made one.
pub fn server_tls(root: &Root, settings: &Settings) -> Result<Arc<ServerConfig>, Failure> {
    Ok(concord_tls::server_config_of_first(setup::certificates(root, settings)?)?)
}
