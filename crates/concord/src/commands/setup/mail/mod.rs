//! `concord setup mail`: the wizard of Internet mail.

mod choices;
mod questions;
mod texts;

use super::Run;
use super::run::{Manner, Question, host, verb_on};
use crate::commands::dkim::{make_missing, with_keys};
use crate::commands::dns::facts::{Asked, canonical, gather};
use crate::commands::dns::show_records;
use crate::commands::object::DOMAIN;
use crate::context::{self, Context};
use crate::failure::Failure;
use crate::print;
use choices::{Choices, MailAnswers};
use concord_admin_api::wire::{NewDomain, ObjectView};
use concord_controller::Method;
use concord_mail_authentication::{KeyAlgorithm, KeyStore};
use concord_mail_policy::Policy;
use concord_settings::{Root, Settings};
use concord_setup::host::Host;
use concord_setup::survey::Survey;
use concord_setup::verb::mail::{self, MailSetup};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Set Internet mail up: domains, ways in and out, TLS, keys. Asks at a terminal
///
/// What is there already is taken over, so it may be run again at any time: after a recovery on
/// another machine, to add a domain, or to change one answer. At the end every DNS record that is
/// wanted is printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read the answers from this file (TOML: hostname, addresses, domains, administrator,
    /// smart-host, smart-host-user, smart-host-password-file, smart-host-tls, certificate, key,
    /// acme-directory, accept-terms, dkim); nothing is asked then
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    manner: Manner,
}

/// What the machine has.
struct There {
    root: Root,
    settings_text: String,
    settings: Settings,
    policy_text: String,
    policy: Policy,
    domains: Vec<String>,
    runs: bool,
}

impl There {
    fn look(host: &Host, survey: &Survey) -> Result<Self, Failure> {
        survey.installed(host)?;
        let root = host.layout.root();
        let path = root.config_file();
        let settings_text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::configuration(format!("cannot read {}: {error}", path.display()))
        })?;
        let policy = crate::commands::dns::facts::policy(root)?;
        let directory = survey.directory.clone().unwrap_or_default();
        Ok(Self {
            root: root.clone(),
            settings_text,
            settings: concord_settings::load(root)?,
            policy_text: std::fs::read_to_string(root.mail_policy_file()).unwrap_or_default(),
            policy,
            domains: directory.domains,
            runs: survey.services.is_some(),
        })
    }
}

impl Run for Box<Args> {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        let there = There::look(&host, &Survey::take(&host)?)?;
        let mut choices = self.choices.clone();
        if let Some(file) = &self.answers {
            choices.fill(MailAnswers::read(file)?);
        }
        let asks = self.answers.is_none() && !self.manner.yes && !self.manner.dry_run;
        if asks && !context.json && std::io::stdin().is_terminal() {
            questions::ask(&mut choices, &there)?;
        }
        let wanted = wanted(&choices, &there)?;
        check_certificate(&host, &wanted)?;
        self.carry_out(&host, &there, &choices, &wanted, context)
    }
}

impl Args {
    fn carry_out(
        &self,
        host: &Host,
        there: &There,
        choices: &Choices,
        wanted: &MailSetup,
        context: &Context,
    ) -> Result<(), Failure> {
        let quiet = Context::quiet(context);
        let shown = if context.json { &quiet } else { context };
        let outcome =
            verb_on(host, shown, self.manner, Question::None, "setup mail", |host, survey| {
                Ok(mail::plan(host, survey, wanted)?)
            });
        let keys = if choices.no_dkim { Vec::new() } else { lacking(host, &wanted.domains)? };
        if self.manner.dry_run {
            return rehearsed(outcome, &keys, context);
        }
        outcome?;
        if there.runs {
            add_domains(host, there, wanted)?;
        }
        let mut made = Vec::new();
        if !keys.is_empty() {
            made = with_keys(context, "setup mail", |store| make_missing(store, &wanted.domains))?;
        }
        let asked = Asked { domain: wanted.domains.clone(), ..Asked::default() };
        let facts = gather(context, &asked)?.facts;
        if context.json {
            let records: Vec<String> = concord_dns_check::wanted(&facts)
                .iter()
                .map(|wanted| wanted.record.to_string())
                .collect();
            let made: Vec<String> = made.iter().map(|record| record.name.clone()).collect();
            print::json(&json!({
                "domains": wanted.domains,
                "keys_made": made,
                "records": records,
            }));
            return Ok(());
        }
        for record in &made {
            print::line(format_args!("made key {}", record.name));
        }
        print::line("\n; Set these records in the DNS:");
        show_records(&facts, context);
        print::line(
            "\nThen: 'concord dkim publish' lets the keys sign, 'concord dns check' compares all.",
        );
        Ok(())
    }
}

/// What a dry run comes to: keys are made behind the plan.
fn rehearsed(
    outcome: Result<(), Failure>,
    keys: &[(String, KeyAlgorithm)],
    context: &Context,
) -> Result<(), Failure> {
    if context.json {
        let names: Vec<&String> = keys.iter().map(|(domain, _)| domain).collect();
        print::json(&json!({ "pending": outcome.is_err() || !keys.is_empty(), "keys": names }));
    } else {
        for (domain, algorithm) in keys {
            print::line(format_args!("  make    {algorithm:?} key of {domain} (mail is signed)"));
        }
    }
    match outcome {
        Ok(()) if !keys.is_empty() => Err(Failure::pending()),
        other => other,
    }
}

/// Keys that are not there.
fn lacking(host: &Host, domains: &[String]) -> Result<Vec<(String, KeyAlgorithm)>, Failure> {
    let directory = host.layout.root().dkim_keys();
    let ring = match directory.is_dir() {
        true => KeyStore::open(&directory)?.ring().clone(),
        false => Default::default(),
    };
    let mut lacking = Vec::new();
    for domain in domains {
        for algorithm in [KeyAlgorithm::Rsa, KeyAlgorithm::Ed25519] {
            if !ring.keys.iter().any(|key| key.domain == *domain && key.algorithm == algorithm) {
                lacking.push((domain.clone(), algorithm));
            }
        }
    }
    Ok(lacking)
}

/// What is to be, from what was chosen and what is there.
fn wanted(choices: &Choices, there: &There) -> Result<MailSetup, Failure> {
    let hostname =
        canonical(choices.hostname.as_deref().unwrap_or(&there.settings.server.hostname))?;
    if !hostname.contains('.') {
        return Err(Failure::usage(
            "cli.mail-hostname",
            format!(
                "cannot set mail up for a server called '{hostname}': others must find it in the \
                 DNS by a full name; give --hostname mail.example.org"
            ),
        ));
    }
    let mut domains: Vec<String> = Vec::new();
    for domain in there.domains.iter().chain(&choices.domain) {
        let domain = canonical(domain)?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.is_empty() {
        return Err(Failure::usage(
            "cli.mail-domain",
            "cannot set mail up without a mail domain; give --domain example.org",
        ));
    }
    let settings = texts::settings(choices, there, &hostname)?;
    concord_settings::parse(&settings, Path::new("the new etc/concord.toml"))?;
    let policy = texts::policy(choices, there)?;
    let web = choices.acme_directory.is_some();
    Ok(MailSetup { settings, hostname, policy, domains, web })
}

/// Before the first write: a certificate that cannot be served, or is another
/// host's.
fn check_certificate(host: &Host, wanted: &MailSetup) -> Result<(), Failure> {
    let root = host.layout.root();
    let mut settings = concord_settings::parse(&wanted.settings, &root.config_file())?;
    for path in [&mut settings.tls.certificate, &mut settings.tls.key].into_iter().flatten() {
        *path = root.resolve(path);
    }
    let Some(files) = crate::setup::given_certificate(&settings) else { return Ok(()) };
    let facts = concord_tls::facts(&files)?;
    if !facts.names_host(&wanted.hostname) {
        eprintln!(
            "note: the certificate names {}, not {}; programs that check names refuse it",
            facts.names.join(", "),
            wanted.hostname
        );
    }
    Ok(())
}

/// A server that runs takes domains by its API.
fn add_domains(host: &Host, there: &There, wanted: &MailSetup) -> Result<(), Failure> {
    let client = context::admin(host.layout.root());
    let missing = wanted
        .domains
        .iter()
        .filter(|domain| !there.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)));
    for domain in missing {
        let new = NewDomain { name: domain.clone() };
        let added = client.send(Method::POST, DOMAIN.path, &new);
        let _: ObjectView = context::runtime()?.block_on(added)?;
    }
    Ok(())
}
