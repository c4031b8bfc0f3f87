//! One order, from the names to the file.

use crate::account::{account, general, said};
use crate::challenges::Challenges;
use crate::error::AcmeError;
use crate::files::write_atomically;
use crate::plan::Plan;
use crate::proof::Placed;
use concord_tls::{CertificateFacts, CertificateFiles, facts, ordered_files};
use instant_acme::{
    AuthorizationStatus, Error, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use std::time::Duration;

/// How long an authority may look for proofs, and then make the certificate.
/// Those of the Internet take seconds.
pub(crate) const AUTHORITY_TIME: Duration = Duration::from_secs(180);
/// All of it but the waits for the DNS and for the administrator's program,
/// which have bounds of their own.
const ORDER_TIME: Duration = Duration::from_secs(15 * 60);

const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(AUTHORITY_TIME);

/// Orders a certificate and puts it into its place. What proves the names is
/// taken away afterwards, also when it failed.
pub(crate) async fn order(
    plan: &Plan,
    challenges: &Challenges,
) -> Result<CertificateFacts, AcmeError> {
    let limit = ORDER_TIME + plan.proof.longest(plan.names.len());
    let mut placed = Vec::new();
    let outcome = tokio::time::timeout(limit, run(plan, challenges, &mut placed)).await;
    for one in placed {
        plan.proof.remove(&one, challenges).await;
    }
    outcome.unwrap_or_else(|_| Err(AcmeError::TooSlow { names: plan.names.clone(), after: limit }))
}

async fn run(
    plan: &Plan,
    challenges: &Challenges,
    placed: &mut Vec<Placed>,
) -> Result<CertificateFacts, AcmeError> {
    let account = account(plan).await?;
    let names: Vec<Identifier> = plan.names.iter().cloned().map(Identifier::Dns).collect();
    let mut order =
        account.new_order(&NewOrder::new(&names)).await.map_err(|e| general(plan, e))?;
    place(plan, challenges, &mut order, placed).await?;
    if !placed.is_empty() {
        plan.proof.settle().await;
    }
    announce(plan, &mut order).await?;
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => return Err(blame(plan, &mut order, None).await),
        Err(Error::Api(problem)) => {
            return Err(blame(plan, &mut order, Some(Error::Api(problem))).await);
        }
        Err(error) => return Err(general(plan, error)),
    }
    let key = order.finalize().await.map_err(|e| general(plan, e))?;
    let chain = order.poll_certificate(&PATIENCE).await.map_err(|e| general(plan, e))?;
    install(plan, &chain, &key)
}

/// Puts the answer to every challenge where the authority will look.
async fn place(
    plan: &Plan,
    challenges: &Challenges,
    order: &mut Order,
    placed: &mut Vec<Placed>,
) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(found) = authorizations.next().await {
        let mut authorization = found.map_err(|e| general(plan, e))?;
        // The authority may remember an earlier proof.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let host = authorization.identifier().to_string();
        let challenge = authorization.challenge(plan.proof.kind()).ok_or_else(|| {
            AcmeError::NotOffered { host: host.clone(), challenge: plan.proof.name() }
        })?;
        let key = challenge.key_authorization();
        let one = Placed {
            base: host.trim_start_matches("*.").to_owned(),
            host,
            token: challenge.token.clone(),
            key_authorization: key.as_str().to_owned(),
            dns_value: key.dns_value(),
        };
        // Pushed first: what was begun is taken away too.
        placed.push(one.clone());
        plan.proof.place(&one, challenges).await?;
    }
    Ok(())
}

/// Tells the authority that it may look.
async fn announce(plan: &Plan, order: &mut Order) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(found) = authorizations.next().await {
        let mut authorization = found.map_err(|e| general(plan, e))?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let host = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(plan.proof.kind()) else { continue };
        challenge.set_ready().await.map_err(|error| match error {
            Error::Api(problem) => not_proved(plan, host, said(&problem)),
            other => general(plan, other),
        })?;
    }
    Ok(())
}

/// Which name it was, and what the authority says of it.
async fn blame(plan: &Plan, order: &mut Order, error: Option<Error>) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if state.status == AuthorizationStatus::Valid {
            continue;
        }
        let host = state.identifier().to_string();
        let problem = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problem {
            return not_proved(plan, host, said(problem));
        }
    }
    match error {
        Some(error) => general(plan, error),
        None => AcmeError::Refused {
            names: plan.names.clone(),
            said: "the order became invalid".to_owned(),
        },
    }
}

fn not_proved(plan: &Plan, host: String, said: String) -> AcmeError {
    AcmeError::NotProved { host, challenge: plan.proof.name(), said, advice: plan.proof.advice() }
}

/// Puts the certificate into its place if it is what was ordered.
fn install(plan: &Plan, chain: &str, key: &str) -> Result<CertificateFacts, AcmeError> {
    let wrong = |cause: String| AcmeError::WrongCertificate { cause };
    let text = format!("{}\n{key}", chain.trim_end());
    let looked_at = tempfile::NamedTempFile::new().and_then(|file| {
        std::fs::write(file.path(), &text)?;
        Ok(file)
    });
    let draft = looked_at.map_err(|e| wrong(e.to_string()))?;
    let found = facts(&CertificateFiles {
        certificate: draft.path().to_owned(),
        key: draft.path().to_owned(),
    })
    .map_err(|e| wrong(e.to_string()))?;
    let lacking: Vec<&str> = plan
        .names
        .iter()
        .filter(|name| !found.names.iter().any(|has| has.eq_ignore_ascii_case(name)))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        return Err(wrong(format!("it does not name {}", lacking.join(", "))));
    }
    write_atomically(&ordered_files(&plan.keep_in).certificate, text.as_bytes())?;
    Ok(found)
}
