//! Listings that hosts send.

use super::names::Listing;
use super::store::Store;
use crate::shared::Shared;
use concord_base::{EnhancedStatus, Fault, Retry};
use concord_cms_mail::netdata::Netdata;
use concord_cms_mail::{Arrived, HostAddress, Records, SpoolFile, TableError, read_lines};
use concord_connector::ApiError;

/// A file for the directory user is no listing that is taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListingError {
    /// Nobody from whom listings are taken sent it.
    #[error("cannot take a directory from {0}: it is none of those that directory-hosts names")]
    Stranger(String),
    /// It is no file of text.
    #[error("cannot read the directory of {0}: it is no file with the tags of NAMES")]
    NoListing(HostAddress),
    /// Its text cannot be read.
    #[error("cannot read the directory of {host}: {error}")]
    Table {
        /// Who sent it.
        host: HostAddress,
        /// Where and why.
        error: TableError,
    },
    /// The core does not keep it now.
    #[error(transparent)]
    Core(#[from] ApiError),
}

impl Fault for ListingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stranger(_) => "ovvm.directory-stranger",
            Self::NoListing(_) => "ovvm.directory-no-listing",
            Self::Table { error, .. } => error.code(),
            Self::Core(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            _ => Retry::Permanent,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::Core(error) => error.enhanced_status(),
            // RFC 3463: 5.7.1 delivery not authorised, 5.6.0 the content.
            Self::Stranger(_) => EnhancedStatus::new(5, 7, 1),
            _ => EnhancedStatus::new(5, 6, 0),
        }
    }
}

/// Takes a file that came for the directory user; durable in the core when it
/// returns. The next run of synchronisation takes it for the host's directory.
pub(crate) async fn listing_came(
    shared: &Shared,
    file: &SpoolFile,
    arrived: &Arrived,
) -> Result<usize, ListingError> {
    let hosts = &shared.settings.directory_hosts;
    let host = file.origin.as_ref().and_then(|origin| hosts.iter().find(|host| *host == origin));
    let Some(host) = host else {
        let origin = file.origin.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        return Err(ListingError::Stranger(origin));
    };
    let text = text(shared, file, arrived).ok_or_else(|| ListingError::NoListing(host.clone()))?;
    let listing = Listing::read(&text, host.node());
    let listing = listing.map_err(|error| ListingError::Table { host: host.clone(), error })?;
    let people = listing.people().count();
    // Only what takes part is kept.
    Store { api: &shared.api }.keep_listing(host, &listing.text()).await?;
    tracing::info!(audience = "operator", %host, people, "a host's directory came");
    Ok(people)
}

fn text(shared: &Shared, file: &SpoolFile, arrived: &Arrived) -> Option<String> {
    let page = shared.settings.page;
    let joined = |records: &Records| read_lines(records, page).join("\n");
    match arrived {
        Arrived::Netdata(Netdata::Transmission(sent)) => {
            sent.files.first().map(|file| joined(&file.data()))
        }
        Arrived::Files(files) => files.first().map(|file| joined(&file.records)),
        Arrived::Cards => Some(joined(&file.records)),
        Arrived::Listing(lines) => Some(lines.join("\n")),
        _ => None,
    }
}
