//! `config export` and `config apply`: the whole configuration as one file.
//!
//! Settings, which components run, connector objects and address generators.
//! What a file says is compared with what is there, shown, and applied on the
//! engine of every other verb: a change that a service does not start with is
//! taken back with everything else (Q188625, Q190019: retyping property pages).

use super::component::{declare_again, plan_towards};
use super::mail;
use crate::error::{Result, SetupError};
use crate::host::{ConnectorObject, GeneratorObject, Host, ObjectKey, ObjectState};
use crate::plan::Plan;
use crate::step::{Control, Step, When};
use crate::survey::{self, Survey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The form of the file.
const FORM: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFile {
    /// Its form.
    pub form: u32,
    /// `etc/internet-mail.toml` as it is written; a file without it leaves what
    /// is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_policy: Option<String>,
    /// Components and whether their services run.
    pub components: BTreeMap<String, bool>,
    /// Settings by section and key, as in `etc/concord.toml`.
    pub settings: BTreeMap<String, BTreeMap<String, toml::Value>>,
    /// Connector objects by name.
    #[serde(default)]
    pub connectors: BTreeMap<String, ConnectorConfig>,
    /// Rules of address generators by address type.
    #[serde(default)]
    pub generators: BTreeMap<String, String>,
}

/// A connector object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectorConfig {
    /// Whether it carries mail.
    pub enabled: bool,
    /// What it carries.
    pub address_spaces: Vec<Value>,
    /// Its settings; secrets too.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// Reads settings by section and key; comments are not among them.
fn sections(text: &str) -> Result<BTreeMap<String, BTreeMap<String, toml::Value>>> {
    toml::from_str(text).map_err(|e| SetupError::invalid("read the settings", e.message()))
}

/// The configuration as it is.
pub fn export(host: &Host, survey: &Survey) -> Result<ConfigFile> {
    let registry = survey.installed(host)?;
    let path = host.layout.root().config_file();
    let text = std::fs::read_to_string(&path).map_err(SetupError::io("read", &path))?;
    let directory = survey.directory.clone().unwrap_or_default();
    Ok(ConfigFile {
        form: FORM,
        mail_policy: std::fs::read_to_string(host.layout.root().mail_policy_file()).ok(),
        components: registry.components.iter().map(|(n, c)| (n.clone(), c.enabled)).collect(),
        settings: sections(&text)?,
        connectors: directory
            .connectors
            .into_iter()
            .map(|c| {
                let config = ConnectorConfig {
                    enabled: c.enabled,
                    address_spaces: c.address_spaces,
                    settings: c.settings,
                };
                (c.name, config)
            })
            .collect(),
        generators: directory.generators.into_iter().map(|g| (g.address_type, g.rule)).collect(),
    })
}

impl ConfigFile {
    /// The file's text.
    pub fn to_text(&self) -> Result<String> {
        let body = toml::to_string_pretty(self)
            .map_err(|e| SetupError::invalid("write the configuration", e))?;
        Ok(format!("# Configuration of a Concord server; 'concord config apply' reads it.\n{body}"))
    }

    /// Reads a file's text.
    pub fn from_text(text: &str) -> Result<Self> {
        let file: Self =
            toml::from_str(text).map_err(|e| SetupError::invalid("read the configuration", e))?;
        if file.form == FORM {
            return Ok(file);
        }
        let cause = format!("it has form {}, this release knows {FORM}", file.form);
        Err(SetupError::invalid("read the configuration", cause))
    }
}

/// Plans to make the configuration what a file says. `settings` is the text of
/// the settings file that results, valid.
pub fn plan_apply(
    host: &Host,
    survey: &Survey,
    wanted: &ConfigFile,
    settings: &str,
) -> Result<Plan> {
    let verb = "config apply";
    let before = survey.installed(host)?;
    let there = export(host, survey)?;
    refuse_unknown(verb, wanted, &there)?;
    let mut after = before.clone();
    for (name, enabled) in &wanted.components {
        if let Some(component) = after.components.get_mut(name) {
            component.enabled = *enabled;
        }
    }
    let hostname = wanted.settings.get("server").and_then(|s| s.get("hostname")?.as_str());
    if let Some(hostname) = hostname {
        hostname.clone_into(&mut after.identity.hostname);
    }
    declare_again(host, &mut after)?;
    let mut plan = Plan::new(verb);
    plan.step(Step::tell(Control::Reload, When::Undoing));
    change_settings(host, before.installation.user.clone(), (&there, wanted), settings, &mut plan);
    if let Some(text) = &wanted.mail_policy {
        mail::change_policy(host, before.installation.user.clone(), text, &mut plan)?;
    }
    change_objects(host, survey, (&there, wanted), &mut plan)?;
    let converged = plan_towards(host, survey, &after, verb)?;
    if plan.changes.is_empty() && converged.is_empty() {
        return Ok(Plan::new(verb));
    }
    plan.changes.extend(converged.changes);
    for (number, step) in converged.steps.into_iter().enumerate() {
        if number < converged.commit_after { plan.step(step) } else { plan.after(step) }
    }
    plan.step(Step::tell(Control::Reload, When::Doing));
    let services: Vec<String> = survey
        .services
        .iter()
        .flatten()
        .filter(|s| s.state == "ready" && wanted.components.get(&s.name) == Some(&true))
        .map(|s| s.name.clone())
        .collect();
    plan.step(Step::tell(Control::AwaitReady { services }, When::Doing));
    Ok(plan)
}

/// What is not installed cannot be configured; every such thing at once.
fn refuse_unknown(verb: &str, wanted: &ConfigFile, there: &ConfigFile) -> Result<()> {
    let mut refusals = Vec::new();
    for name in wanted.components.keys().filter(|n| !there.components.contains_key(*n)) {
        refusals.push(format!(
            "component '{name}' is not installed; 'concord setup add' or 'concord connector \
             install' first"
        ));
    }
    for name in wanted.connectors.keys().filter(|n| !there.connectors.contains_key(*n)) {
        refusals.push(format!("there is no connector '{name}'; install its package first"));
    }
    for name in wanted.generators.keys().filter(|n| !there.generators.contains_key(*n)) {
        refusals.push(format!("there is no address generator '{name}'; it comes with a connector"));
    }
    if refusals.is_empty() {
        return Ok(());
    }
    Err(SetupError::Refused { verb: verb.to_owned(), refusals })
}

fn change_settings(
    host: &Host,
    owner: Option<String>,
    (there, wanted): (&ConfigFile, &ConfigFile),
    text: &str,
    plan: &mut Plan,
) {
    let show =
        |value: Option<&toml::Value>| value.map_or("(default)".to_owned(), ToString::to_string);
    let mut names: Vec<(&String, &String)> = Vec::new();
    for file in [&there.settings, &wanted.settings] {
        names
            .extend(file.iter().flat_map(|(section, keys)| keys.keys().map(move |k| (section, k))));
    }
    names.sort();
    names.dedup();
    let mut changed = false;
    for (section, key) in names {
        let value =
            |file: &ConfigFile| file.settings.get(section).and_then(|s| s.get(key)).cloned();
        let (old, new) = (value(there), value(wanted));
        if old != new {
            let why = format!("{} becomes {}", show(old.as_ref()), show(new.as_ref()));
            plan.change("set", format!("{section}.{key}"), why);
            changed = true;
        }
    }
    if changed {
        let path = host.layout.root().config_file();
        let mode = crate::host::access_of(&path).map_or(0o600, |access| access.mode);
        plan.step(Step::WriteFile { path, mode, owner, content: text.to_owned() });
    }
}

fn change_objects(
    host: &Host,
    survey: &Survey,
    (there, wanted): (&ConfigFile, &ConfigFile),
    plan: &mut Plan,
) -> Result<()> {
    let packages = survey::packages(host, survey.installed(host)?);
    let owner = |key: &ObjectKey| match survey.directory.as_ref().and_then(|d| d.object(key)) {
        Some(ObjectState::Connector(connector)) => connector.component,
        Some(ObjectState::Generator(generator)) => generator.component,
        None => String::new(),
    };
    for (name, config) in &wanted.connectors {
        if there.connectors.get(name) == Some(config) {
            continue;
        }
        if let Some((manifest, _)) = packages.get(name) {
            let mistakes = manifest.check_settings(&config.settings);
            if !mistakes.is_empty() {
                let cause = format!("connector {name} (CC-0902):\n  {}", mistakes.join("\n  "));
                return Err(SetupError::invalid("config apply", cause));
            }
        }
        plan.change("change", format!("connector {name}"), "the file says otherwise");
        let object = ObjectState::Connector(ConnectorObject {
            name: name.clone(),
            component: owner(&ObjectKey::Connector(name.clone())),
            enabled: config.enabled,
            address_spaces: config.address_spaces.clone(),
            settings: config.settings.clone(),
        });
        plan.step(Step::PutObject { object: Box::new(object) });
    }
    for (name, rule) in &wanted.generators {
        if there.generators.get(name) != Some(rule) {
            plan.change(
                "change",
                format!("address generator {name}"),
                format!("its rule is {rule}"),
            );
            let object = ObjectState::Generator(GeneratorObject {
                address_type: name.clone(),
                component: owner(&ObjectKey::Generator(name.clone())),
                rule: rule.clone(),
            });
            plan.step(Step::PutObject { object: Box::new(object) });
        }
    }
    Ok(())
}
