//! What messages are looked into with, shared by all sessions.

use super::held::Memory;
use crate::config::InternetMailConfig;
use concord_mail_authentication::{
    Applied, AuthenticationError, Checker, DmarcEnforcement, DmarcPolicy, Enforcement, Override,
    Results,
};
use concord_mail_filter::{Chain, Traffic};
use concord_mail_policy::{Authentication, Dmarc, Policy, Spf};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The filters of one state of the policy; the mistakes if they cannot be used.
type Chains = Result<(Chain, Chain), String>;

pub(crate) struct Examiner {
    pub(super) checker: Checker,
    pub(super) memory: Memory,
    chains: Mutex<(u64, Chains)>,
}

impl fmt::Debug for Examiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examiner").finish_non_exhaustive()
    }
}

impl Examiner {
    pub(crate) fn new(config: &InternetMailConfig) -> Result<Self, AuthenticationError> {
        let (policy, generation) = config.policy.with_generation();
        Ok(Self {
            checker: Checker::new(&config.name_servers, &config.hostname)?,
            memory: Memory::new(config.examined_memory),
            chains: Mutex::new((generation, chains(&policy))),
        })
    }

    /// The filters for messages of this kind, as the policy has them now.
    ///
    /// # Errors
    /// Why they cannot be used.
    pub(super) fn chain(
        &self,
        policy: &Policy,
        generation: u64,
        traffic: Traffic,
    ) -> Result<Chain, String> {
        let mut kept = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != generation {
            *kept = (generation, chains(policy));
        }
        let (inbound, submission) = kept.1.as_ref().map_err(Clone::clone)?;
        Ok(match traffic {
            Traffic::Inbound => inbound.clone(),
            Traffic::Submission => submission.clone(),
        })
    }
}

/// A password file that cannot be read must not let mail past the filter: what
/// they are for is deferred until it can.
fn chains(policy: &Policy) -> Chains {
    let chain = |traffic| {
        Chain::new(&policy.filters, traffic).map_err(|mistakes| {
            let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            tracing::error!(mistakes = all.join("; "), "the content filters cannot be used");
            all.join("; ")
        })
    };
    Ok((chain(Traffic::Inbound)?, chain(Traffic::Submission)?))
}

/// What is done about DMARC, as the domain's owner is told.
pub(super) fn applied(policy: &Authentication, results: &Results) -> Applied {
    let applied = results.applied(&enforcement(policy));
    if policy.dmarc == Dmarc::Quarantine && applied.disposition == DmarcPolicy::Reject {
        let (disposition, reason) = (DmarcPolicy::Quarantine, Some(Override::LocalPolicy));
        return Applied { disposition, reason };
    }
    applied
}

/// What the policy wants done about who wrote a message.
pub(super) fn enforcement(policy: &Authentication) -> Enforcement {
    Enforcement {
        dmarc: match policy.dmarc {
            Dmarc::Check => DmarcEnforcement::ReportOnly,
            Dmarc::Enforce | Dmarc::Quarantine => DmarcEnforcement::Enforce,
        },
        refuse_spf_fail: policy.spf == Spf::Enforce,
        refuse_unclear_author: policy.dmarc != Dmarc::Check,
        defer_unknown: false,
        trusted_sealers: policy.trusted_sealers.clone(),
    }
}
