//! The policy of Internet mail, and `setup mail`: what the connector to the
//! Internet needs besides being installed.

use super::component::{declare_again, plan_towards};
use crate::error::{Result, SetupError};
use crate::host::{Host, access_of};
use crate::manifest::{INTERNET_MAIL, WEB};
use crate::plan::Plan;
use crate::step::{Control, Step, When};
use crate::survey::Survey;
use crate::verb::install::built_in;
use concord_mail_policy::Policy;

/// What `setup mail` is to bring about. Keys are not among it: they are made
/// behind it, because a journal must not have private ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSetup {
    /// The settings file's text, valid.
    pub settings: String,
    /// The host name in it.
    pub hostname: String,
    /// The policy's text.
    pub policy: String,
    /// Domains that mail is taken for.
    pub domains: Vec<String>,
    /// Whether the service is needed that orders certificates.
    pub web: bool,
}

/// Plans that the policy is this text. It takes effect at once, without a
/// restart. A text with mistakes is refused.
///
/// # Errors
/// [`SetupError::NotInstalled`]; mistakes in the text.
pub fn plan_policy(host: &Host, survey: &Survey, verb: &str, text: &str) -> Result<Plan> {
    let owner = survey.installed(host)?.installation.user.clone();
    let mut plan = Plan::new(verb);
    change_policy(host, owner, text, &mut plan)?;
    Ok(plan)
}

/// Adds what makes the policy this text.
pub(super) fn change_policy(
    host: &Host,
    owner: Option<String>,
    text: &str,
    plan: &mut Plan,
) -> Result<()> {
    let path = host.layout.root().mail_policy_file();
    Policy::parse(text)
        .map_err(|error| SetupError::invalid(format!("store {}", path.display()), error))?;
    if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    plan.change("write", path.display().to_string(), "the policy becomes another one");
    let mode = access_of(&path).map_or(0o600, |access| access.mode);
    plan.step(Step::WriteFile { path, mode, owner, content: text.to_owned() });
    Ok(())
}

/// Plans everything that `setup mail` is to bring about. What is there already
/// is taken over: a second run has nothing to do (Q188632, Q185061).
///
/// # Errors
/// [`SetupError::NotInstalled`]; a domain is missing and the directory cannot
/// take it while the server runs: then it is added by the admin API.
pub fn plan(host: &Host, survey: &Survey, wanted: &MailSetup) -> Result<Plan> {
    let verb = "setup mail";
    let before = survey.installed(host)?;
    let mut after = before.clone();
    wanted.hostname.clone_into(&mut after.identity.hostname);
    for name in [INTERNET_MAIL].into_iter().chain(wanted.web.then_some(WEB)) {
        if !after.components.contains_key(name) {
            after.components.insert(name.to_owned(), built_in(&before.current, host.now()));
        }
    }
    declare_again(host, &mut after)?;
    let mut plan = Plan::new(verb);
    let owner = before.installation.user.clone();
    plan.step(Step::tell(Control::Reload, When::Undoing));
    let settings = host.layout.root().config_file();
    if std::fs::read_to_string(&settings).map_or(true, |there| there != wanted.settings) {
        plan.change("write", settings.display().to_string(), "settings become other ones");
        let mode = access_of(&settings).map_or(0o600, |access| access.mode);
        plan.step(Step::WriteFile {
            path: settings,
            mode,
            owner: owner.clone(),
            content: wanted.settings.clone(),
        });
    }
    change_policy(host, owner, &wanted.policy, &mut plan)?;
    domains(survey, wanted, &mut plan)?;
    let mut converged = plan_towards(host, survey, &after, verb)?;
    if plan.changes.is_empty() && converged.is_empty() {
        return Ok(Plan::new(verb));
    }
    // What was just planned to be written is not to be seeded.
    let written: Vec<_> = plan.steps.iter().filter_map(written_path).cloned().collect();
    let mut commit_after = converged.commit_after;
    let mut kept = Vec::new();
    for (number, step) in converged.steps.drain(..).enumerate() {
        if written_path(&step).is_some_and(|path| written.contains(path)) {
            commit_after = commit_after.saturating_sub(usize::from(number < commit_after));
            continue;
        }
        kept.push(step);
    }
    plan.changes.extend(converged.changes);
    for (number, step) in kept.into_iter().enumerate() {
        if number < commit_after { plan.step(step) } else { plan.after(step) }
    }
    plan.step(Step::tell(Control::Reload, When::Doing));
    let ready = survey.services.iter().flatten().filter(|s| s.state == "ready");
    let services = ready.map(|s| s.name.clone()).collect();
    plan.step(Step::tell(Control::AwaitReady { services }, When::Doing));
    Ok(plan)
}

fn written_path(step: &Step) -> Option<&std::path::PathBuf> {
    match step {
        Step::WriteFile { path, .. } => Some(path),
        _ => None,
    }
}

/// Domains that the directory lacks: by the engine while nothing runs. A server
/// that runs is told by its API, which is not Setup's.
fn domains(survey: &Survey, wanted: &MailSetup, plan: &mut Plan) -> Result<()> {
    let directory = survey.directory.clone().unwrap_or_default();
    let missing = wanted
        .domains
        .iter()
        .filter(|domain| !directory.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)));
    for domain in missing {
        plan.change("make", format!("domain {domain}"), "mail is taken for it");
        if survey.services.is_some() {
            continue;
        }
        let organisation = directory.organisation.clone().ok_or_else(|| {
            SetupError::invalid(
                "setup mail",
                "the directory has no organisation yet; start the server once ('concord up'), or \
                 install with --organisation",
            )
        })?;
        plan.step(Step::Bootstrap {
            organisation,
            domain: domain.clone(),
            // The server's object keeps its name.
            hostname: directory.servers.first().unwrap_or(&wanted.hostname).clone(),
        });
    }
    Ok(())
}
