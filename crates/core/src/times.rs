//! When mail is tried again, when it is given up, and when its sender is told:
//! what the policy says of its domain and urgency, else the settings.

use crate::submission::Submission as Shared;
use concord_address::SmtpAddress;
use concord_directory::{INTERNET_MAIL, Routes};
use concord_mail_policy::{Outbound, Period, Policy};
use concord_transport::{Group, RetryPolicy, Urgency};

/// The domain of a group, if it is one of Internet mail: only of those the
/// policy speaks.
pub(crate) fn domain<'a>(routes: &Routes, group: &'a Group) -> Option<&'a str> {
    (routes.component(&group.connector) == Some(INTERNET_MAIL)).then_some(group.group.as_str())
}

/// What applies to a delivery now. A row `[[domain]]` has the first word, then
/// the urgency, then `[outbound]`, then the settings.
pub(crate) fn times(
    policy: &Policy,
    settings: &RetryPolicy,
    domain: Option<&str>,
    urgency: Urgency,
) -> RetryPolicy {
    let rows = domain.map(|domain| policy.domains_for(domain)).unwrap_or_default();
    let row = rows.iter().fold(Outbound::default(), |so_far, row| so_far.or(&row.values));
    let none = Outbound::default();
    let outbound = if domain.is_some() { &policy.outbound } else { &none };
    let urgency = policy.urgency(urgency);
    let time = |places: [Option<Period>; 3]| places.into_iter().flatten().next().map(|p| p.0);
    let expire_after = time([row.expire_after, urgency.expire_after, outbound.expire_after]);
    let warning =
        time([row.delay_warning_after, urgency.delay_warning_after, outbound.delay_warning_after]);
    let schedule = row.retry_schedule.as_ref().or(outbound.retry_schedule.as_ref());
    RetryPolicy {
        schedule: match schedule {
            Some(periods) => periods.iter().map(|period| period.0).collect(),
            None => settings.schedule.clone(),
        },
        expire_after: expire_after.unwrap_or(settings.expire_after),
        delay_warning_after: match warning {
            // As in the settings: zero is never.
            Some(after) => (!after.is_zero()).then_some(after),
            None => settings.delay_warning_after,
        },
    }
}

/// Whether a sender who asked for it hears of success (Q216162).
pub(crate) fn hears_of_success(policy: &Policy, sender: &SmtpAddress) -> bool {
    let domain = sender.domain().to_string();
    !policy.outbound_for(&domain).suppress_delivery_reports.unwrap_or(false)
}

/// [`times`] of a group of the queue.
pub(crate) fn of_group(
    shared: &Shared,
    routes: &Routes,
    group: &Group,
    urgency: Urgency,
) -> RetryPolicy {
    let policy = shared.config.policy.current();
    times(&policy, &shared.config.retry, domain(routes, group), urgency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Q216162
    #[test]
    fn senders_of_some_domains_hear_nothing_of_success() {
        let text = "[[domain]]\nname = 'quiet.test'\nsuppress-delivery-reports = true\n";
        let policy = Policy::parse(text).unwrap();
        let hears = |sender: &str| hears_of_success(&policy, &sender.parse().unwrap());
        assert!(!hears("a@quiet.test") && !hears("a@sub.Quiet.test"));
        assert!(hears("a@other.test"));
    }

    #[test]
    fn a_domain_has_the_first_word_then_the_urgency_then_all_others() {
        let policy = Policy::parse(
            "[outbound]\nretry-schedule = ['7 m']\nexpire-after = '4 d'\n\
             delay-warning-after = '3 h'\n\
             [urgency.urgent]\nexpire-after = '1 d'\ndelay-warning-after = '1 h'\n\
             [urgency.non-urgent]\ndelay-warning-after = '0 s'\n\
             [[domain]]\nname = 'slow.test'\nexpire-after = '9 d'\nretry-schedule = ['2 h']\n",
        )
        .unwrap();
        let settings = RetryPolicy::default();
        let hours = |h: u64| Duration::from_secs(h * 3_600);
        let of = |domain, urgency| {
            let t = times(&policy, &settings, domain, urgency);
            (t.schedule[0].as_secs() / 60, t.expire_after, t.delay_warning_after)
        };
        use Urgency::{NonUrgent, Normal, Urgent};
        assert_eq!(of(Some("a.test"), Normal), (7, hours(96), Some(hours(3))));
        assert_eq!(of(Some("a.test"), Urgent), (7, hours(24), Some(hours(1))));
        assert_eq!(of(Some("a.test"), NonUrgent), (7, hours(96), None));
        assert_eq!(of(Some("slow.test"), Urgent), (120, hours(216), Some(hours(1))));
        // Of other systems the file speaks by urgency only.
        let first = settings.schedule[0].as_secs() / 60;
        assert_eq!(of(None, Normal), (first, settings.expire_after, settings.delay_warning_after));
        assert_eq!(of(None, Urgent), (first, hours(24), Some(hours(1))));
    }
}
