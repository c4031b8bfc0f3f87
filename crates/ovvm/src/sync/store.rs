//! Listings kept in the core, in pieces: a value there is bounded.

use super::foreign;
use super::names::Listing;
use concord_cms_mail::HostAddress;
use concord_connector::{ApiError, CoreApi, SynchroniseError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Characters of a piece: six octets each, as JSON writes the worst, stay below
/// what the core keeps under one name (256 KiB).
const PIECE: usize = 40_000;
/// Pieces of a listing: eight million characters, some 100,000 people.
const MAX_PIECES: usize = 200;
/// The name of what is exported.
const OWN: &str = "own";

/// What is known of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Index {
    /// Grows with each; pieces of an even one do not overwrite those of an odd
    /// one, so a reader finds either.
    generation: u64,
    pieces: usize,
    /// Of the own listing: which generation each host has taken over.
    #[serde(default)]
    taken: BTreeMap<String, u64>,
}

/// The listings in the core.
pub(super) struct Store<'a> {
    pub api: &'a CoreApi,
}

impl Store<'_> {
    /// The last listing that a host sent.
    pub async fn listing_of(
        &self,
        host: &HostAddress,
    ) -> Result<Option<Listing>, SynchroniseError> {
        let Some((_, text)) = self.text(&name_of(host)).await? else { return Ok(None) };
        // It was read before it was kept.
        Listing::read(&text, host.node()).map(Some).map_err(foreign)
    }

    /// Keeps a host's listing, durable when it returns.
    pub async fn keep_listing(&self, host: &HostAddress, text: &str) -> Result<(), ApiError> {
        self.keep(&name_of(host), text).await
    }

    /// What is exported.
    pub async fn own_listing(&self) -> Result<Listing, SynchroniseError> {
        let text = self.text(OWN).await?.map(|(_, text)| text).unwrap_or_default();
        Listing::read(&text, "").map_err(foreign)
    }

    /// Keeps what is exported.
    pub async fn keep_own_listing(&self, listing: &Listing) -> Result<(), SynchroniseError> {
        let text = listing.text();
        if self.text(OWN).await?.is_some_and(|(_, before)| before == text) {
            return Ok(());
        }
        Ok(self.keep(OWN, &text).await?)
    }

    /// The text of what is exported, and its generation; none if a host has it
    /// already, or nothing was ever exported.
    pub async fn own_for(
        &self,
        host: &HostAddress,
        in_any_case: bool,
    ) -> Result<Option<(u64, String)>, ApiError> {
        let Some((index, text)) = self.text(OWN).await? else { return Ok(None) };
        let has = index.taken.get(&name_of(host)) == Some(&index.generation);
        Ok((in_any_case || !has).then_some((index.generation, text)))
    }

    /// A host has taken a generation of it over.
    pub async fn own_taken(&self, host: &HostAddress, generation: u64) -> Result<(), ApiError> {
        let mut index = self.index(OWN).await?.unwrap_or_default();
        index.taken.insert(name_of(host), generation);
        self.api.set_state(&key(OWN), &index).await
    }

    async fn index(&self, name: &str) -> Result<Option<Index>, ApiError> {
        self.api.state(&key(name)).await
    }

    async fn text(&self, name: &str) -> Result<Option<(Index, String)>, ApiError> {
        let Some(index) = self.index(name).await? else { return Ok(None) };
        let mut text = String::new();
        for number in 0..index.pieces.min(MAX_PIECES) {
            let piece: Option<String> =
                self.api.state(&piece_key(name, index.generation, number)).await?;
            text.push_str(&piece.unwrap_or_default());
        }
        Ok(Some((index, text)))
    }

    async fn keep(&self, name: &str, text: &str) -> Result<(), ApiError> {
        let mut index = self.index(name).await?.unwrap_or_default();
        let pieces = pieces(text);
        if pieces.len() > MAX_PIECES {
            return Err(ApiError::Broken(format!(
                "a listing of {} octets is more than is kept; send fewer people",
                text.len()
            )));
        }
        index.generation = index.generation.saturating_add(1);
        index.pieces = pieces.len();
        for (number, piece) in pieces.iter().enumerate() {
            self.api.set_state(&piece_key(name, index.generation, number), piece).await?;
        }
        self.api.set_state(&key(name), &index).await
    }
}

fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(PIECE).map(|piece| piece.iter().collect()).collect()
}

fn key(name: &str) -> String {
    format!("listing-{name}")
}

fn piece_key(name: &str, generation: u64, number: usize) -> String {
    format!("{}-{}-{number}", key(name), generation % 2)
}

/// A host's user as part of a name of the core's state, which has letters, digits,
/// `-` and `_` only: at most 48 characters.
fn name_of(host: &HostAddress) -> String {
    let mut name = String::new();
    for octet in format!("{}.{}", host.node(), host.user()).bytes() {
        if octet.is_ascii_alphanumeric() {
            name.push(char::from(octet));
        } else {
            // A String takes whatever is written to it.
            let _ = write!(name, "_{octet:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_names_of_state_and_differ() {
        let of = |node, user| name_of(&HostAddress::new(node, user).unwrap());
        assert_eq!(of("VM1", "MAINT"), "VM1_2eMAINT");
        assert_ne!(of("A", "B$"), of("A", "B#"));
        let longest = piece_key(&of("$$$$$$$$", "########"), 1, MAX_PIECES);
        let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        assert!(longest.len() <= 66 && longest.bytes().all(fits), "{longest}");
    }

    #[test]
    fn a_text_is_whole_in_its_pieces() {
        let text = "ä:nick.X\n".repeat(20_000);
        let pieces = pieces(&text);
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.chars().count() <= PIECE));
        assert_eq!(pieces.concat(), text);
    }
}
