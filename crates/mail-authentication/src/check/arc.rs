//! ARC (RFC 8617).

use super::Checker;
use crate::dns::Watch;
use crate::results::{Arc, ArcResult, ArcSet};
use mail_auth::{AuthenticatedMessage, Parameters};
use std::net::IpAddr;
use tokio::time::{Instant, timeout_at};

pub(super) async fn check(
    checker: &Checker,
    message: &AuthenticatedMessage<'_>,
    ip: IpAddr,
    deadline: Instant,
) -> Arc {
    let sets = sets(message);
    // The library looks at signatures only; seals and results without them are
    // a broken chain too (section 5.2, step 3).
    if message.ams_headers.is_empty()
        && (!message.as_headers.is_empty() || !message.aar_headers.is_empty())
    {
        return Arc { result: ArcResult::Fail, sets };
    }
    let watch = Watch::new(ip);
    let parameters = Parameters::new(message).with_txt_cache(&watch);
    let result = match timeout_at(deadline, checker.library.verify_arc(parameters)).await {
        Err(_) => ArcResult::TempError,
        Ok(output) => match output.result() {
            mail_auth::DkimResult::None => ArcResult::None,
            mail_auth::DkimResult::Pass => ArcResult::Pass,
            mail_auth::DkimResult::TempError(_) => ArcResult::TempError,
            mail_auth::DkimResult::Neutral(_)
            | mail_auth::DkimResult::Fail(_)
            | mail_auth::DkimResult::PermError(_) => ArcResult::Fail,
        },
    };
    Arc { result, sets }
}

/// The sets as far as they can be read, by instance.
fn sets(message: &AuthenticatedMessage<'_>) -> Vec<ArcSet> {
    let results = |instance: u32| {
        message
            .aar_headers
            .iter()
            .find(|header| header.header.i == instance)
            .map(|header| one_line(header.value))
            .unwrap_or_default()
    };
    message
        .as_headers
        .iter()
        .map(|seal| ArcSet {
            sealer: super::a_labels(&seal.header.d),
            selector: seal.header.s.clone(),
            results: results(seal.header.i),
        })
        .collect()
}

/// A field's value without its folding.
fn one_line(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_whitespace().collect::<Vec<_>>().join(" ")
}
