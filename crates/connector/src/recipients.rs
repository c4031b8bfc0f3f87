//! Who is who: the core's directory, asked before a conversion and kept for a
//! while.

use crate::wire::RecipientFacts;
use crate::{ApiError, CoreApi};
use concord_address::{SmtpAddress, TypedAddress};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer of the directory is good: a change shows within it.
const FRESH: Duration = Duration::from_secs(30);
/// Answers kept; then all are asked for anew.
const MAX_KEPT: usize = 10_000;

/// Asks the core whose addresses are.
#[derive(Debug)]
pub struct Recipients {
    api: CoreApi,
    kept: Mutex<HashMap<String, (Instant, Option<RecipientFacts>)>>,
}

impl Recipients {
    /// Knows nobody yet.
    pub fn new(api: CoreApi) -> Self {
        Self { api, kept: Mutex::default() }
    }

    /// What the directory has of these typed addresses, in their order.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn facts(&self, names: &[String]) -> Result<Vec<Option<RecipientFacts>>, ApiError> {
        let now = Instant::now();
        let mut wanted: Vec<String> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = |name: &String| {
                kept.get(name).is_some_and(|(since, _)| now.duration_since(*since) < FRESH)
            };
            names.iter().filter(|name| !fresh(name)).cloned().collect()
        };
        wanted.sort();
        wanted.dedup();
        let answers = match wanted.is_empty() {
            true => Vec::new(),
            false => self.api.addresses(&wanted).await?,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + answers.len() > MAX_KEPT {
            kept.retain(|name, _| names.contains(name));
        }
        for (name, answer) in wanted.into_iter().zip(answers) {
            kept.insert(name, (now, answer.recipient));
        }
        Ok(names.iter().map(|name| kept.get(name).and_then(|(_, facts)| facts.clone())).collect())
    }

    /// The Internet addresses of whom these typed addresses are, in their order.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn on_the_internet(
        &self,
        names: &[String],
    ) -> Result<Vec<Option<SmtpAddress>>, ApiError> {
        let smtp = |facts: Option<RecipientFacts>| {
            facts?.addresses.get("SMTP")?.parse::<TypedAddress>().ok()?.smtp()
        };
        Ok(self.facts(names).await?.into_iter().map(smtp).collect())
    }
}
