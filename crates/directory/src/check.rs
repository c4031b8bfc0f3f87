//! The rules that hold for an object by itself.

use crate::{
    Connector, Details, DirectoryError, Generator, INTERNET_MAIL, Kind, MAX_RESTRICTIONS,
    NEVER_EXPORTED, Object, Policy,
};
use concord_address::{AddressType, Domain, GeneratorRule, Names, TypedAddress};
use serde_json::Value;
use std::collections::HashSet;

/// A name is shown in lists and typed at prompts; the original's limit for
/// directory names was 64 too.
const MAX_NAME: usize = 64;
/// What address books show; the original's limit.
const MAX_DISPLAY_NAME: usize = 256;
/// A recipient with more addresses than this is a mistake in a script.
const MAX_PROXIES: usize = 1_000;
/// A connector's name is part of a socket's path, which has 107 octets in all.
const MAX_WORD: usize = 32;
/// Every recipient is held against all of them.
const MAX_ADDRESS_SPACES: usize = 1_000;
/// Octets of a connector's settings as JSON: the directory is no file store.
const MAX_SETTINGS: usize = 64 << 10;
/// Objects in objects of settings; also far below what decoders stand.
const MAX_SETTINGS_DEPTH: usize = 16;
/// Notes' document ids have 35, GroupWise's `domain.postoffice.object` far fewer
/// than this.
const MAX_ORIGIN_KEY: usize = 512;
/// The core itself takes deliveries under this name.
const RESERVED: &str = "core";

impl Object {
    /// Checks the rules that hold for an object by itself.
    ///
    /// # Errors
    /// The first rule that it breaks. Uniqueness in the organisation is the
    /// engine's to check, in the commit.
    pub fn check(&self) -> Result<(), DirectoryError> {
        self.check_names()
            .and_then(|()| self.check_proxies())
            .and_then(|()| self.attributes.check())
            .and_then(|()| self.check_policy())
            .and_then(|()| self.check_details())
            .map_err(|cause| DirectoryError::Invalid { name: self.name.clone(), cause })
    }

    fn check_names(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Err("a name has 1 to 64 bytes".into());
        }
        if self.name.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ') {
            return Err("a name has no control characters".into());
        }
        if self.name.trim() != self.name {
            return Err("a name does not begin or end with a space".into());
        }
        if self.display_name.len() > MAX_DISPLAY_NAME
            || self.display_name.chars().any(char::is_control)
        {
            return Err("a display name has at most 256 bytes and no control characters".into());
        }
        Ok(())
    }

    fn check_proxies(&self) -> Result<(), String> {
        if self.proxies.len() > MAX_PROXIES {
            return Err("it has more than 1000 addresses".into());
        }
        let mut primaries = HashSet::new();
        let mut keys = HashSet::new();
        for proxy in &self.proxies {
            if !keys.insert(proxy.address.key()) {
                return Err(format!("the address {} is given twice", proxy.address));
            }
            if proxy.primary && !primaries.insert(proxy.address.kind()) {
                let kind = proxy.address.kind();
                return Err(format!("it has two primary addresses of type {kind}"));
            }
        }
        match self.proxies.iter().find(|proxy| !primaries.contains(proxy.address.kind())) {
            Some(lone) => Err(format!("it has no primary address of type {}", lone.address.kind())),
            None => Ok(()),
        }
    }

    fn check_policy(&self) -> Result<(), String> {
        let kind = self.kind();
        let policy = &self.policy;
        if kind == Kind::Container {
            let place = Policy { container: policy.container, ..Policy::default() };
            return if *policy == place {
                Ok(())
            } else {
                Err("a container has a place and a name only".into())
            };
        }
        if !kind.is_recipient() {
            let none = *policy == Policy::default() && self.attributes.is_empty();
            return if none { Ok(()) } else { Err(format!("a {kind} is no recipient")) };
        }
        if policy.trust > NEVER_EXPORTED {
            return Err("trust is a number from 0 to 100".into());
        }
        let longest = [&policy.accept_from, &policy.reject_from, &policy.delegates];
        if longest.iter().any(|ids| ids.len() > MAX_RESTRICTIONS) {
            return Err(format!("a restriction names more than {MAX_RESTRICTIONS} recipients"));
        }
        if policy.forward.is_some_and(|forward| forward.to == self.id) {
            return Err("it cannot forward to itself".into());
        }
        if policy.forward.is_some() && !kind.has_folders() {
            return Err(format!("a {kind} does not forward; change where its mail goes"));
        }
        if let Some(origin) = &policy.origin
            && (origin.key.is_empty() || origin.key.len() > MAX_ORIGIN_KEY)
        {
            return Err(format!("the key of its origin has 1 to {MAX_ORIGIN_KEY} bytes"));
        }
        Ok(())
    }

    fn check_details(&self) -> Result<(), String> {
        match &self.details {
            Details::Domain => {
                let domain: Result<Domain, _> = self.name.parse();
                match domain {
                    Ok(Domain::Name(name)) if name == self.name => Ok(()),
                    Ok(Domain::Name(name)) => Err(format!("write the domain as '{name}'")),
                    _ => Err("the name of a domain object is a DNS name".into()),
                }
            }
            Details::Mailbox(_) | Details::PublicFolder(_) | Details::Resource(_)
                if self.primary_smtp().is_none() =>
            {
                Err(format!("a {} has an Internet address", self.kind()))
            }
            Details::Mailbox(mailbox) => {
                concord_rules::check(&mailbox.rules).map_err(|error| error.to_string())
            }
            Details::List(list) if list.members.contains(&self.id) => {
                Err("a list cannot be its own member".into())
            }
            Details::Connector(connector) => self.check_connector(connector),
            Details::Generator(generator) => self.check_generator(generator),
            Details::Container | Details::Role(_) => self.check_no_proxies(self.kind().as_str()),
            _ => Ok(()),
        }
    }

    fn check_connector(&self, connector: &Connector) -> Result<(), String> {
        self.check_no_proxies("connector")?;
        if !is_word(&self.name) || self.name == RESERVED {
            return Err(format!(
                "a connector's name has at most {MAX_WORD} lower-case letters, digits and single \
                 hyphens, begins with a letter, and is not '{RESERVED}'"
            ));
        }
        check_component(&connector.component)?;
        if self.name == INTERNET_MAIL && connector.component != INTERNET_MAIL {
            return Err(format!("only the component of that name is called '{INTERNET_MAIL}'"));
        }
        if connector.address_spaces.len() > MAX_ADDRESS_SPACES {
            return Err(format!("it has more than {MAX_ADDRESS_SPACES} address spaces"));
        }
        let mut seen = HashSet::new();
        for space in &connector.address_spaces {
            if let Some(problem) = space.problem() {
                return Err(format!("'{space}' is not an address space: {problem}"));
            }
            if !seen.insert((space.kind(), space.pattern(), space.scope())) {
                return Err(format!("the address space {space} is given twice"));
            }
        }
        if connector.settings.values().any(|value| depth(value) > MAX_SETTINGS_DEPTH) {
            return Err(format!("its settings are nested deeper than {MAX_SETTINGS_DEPTH}"));
        }
        match serde_json::to_vec(&connector.settings) {
            Ok(octets) if octets.len() <= MAX_SETTINGS => Ok(()),
            _ => Err("its settings have more than 64 KiB".into()),
        }
    }

    fn check_generator(&self, generator: &Generator) -> Result<(), String> {
        self.check_no_proxies("generator")?;
        match self.name.parse::<AddressType>() {
            Ok(kind) if kind.is_smtp() && !generator.rule.contains('@') => {
                return Err("a rule for Internet addresses has a domain, as in \
                            %g.%s@example.org"
                    .into());
            }
            Ok(kind) if kind.as_str() == self.name => {}
            Ok(kind) => return Err(format!("write the address type as '{kind}'")),
            Err(error) => return Err(error.to_string()),
        }
        check_component(&generator.component)?;
        let rule: GeneratorRule = generator
            .rule
            .parse()
            .map_err(|error: concord_address::ParseGeneratorRuleError| error.to_string())?;
        check_form(&self.name, &rule)
    }

    fn check_no_proxies(&self, kind: &str) -> Result<(), String> {
        if self.proxies.is_empty() { Ok(()) } else { Err(format!("a {kind} has no addresses")) }
    }
}

/// A rule whose addresses are none of its type would give nobody one.
fn check_form(kind: &str, rule: &GeneratorRule) -> Result<(), String> {
    let names = Names {
        alias: "jdoe".into(),
        display_name: "John Doe".into(),
        given_name: Some("John".into()),
        surname: Some("Doe".into()),
        initials: Some("JD".into()),
    };
    // Empty for these names is not empty for all.
    let Ok(value) = rule.generate(&names) else { return Ok(()) };
    format!("{kind}:{value}")
        .parse::<TypedAddress>()
        .map(drop)
        .map_err(|error| format!("for John Doe the rule gives {error}"))
}

fn check_component(component: &str) -> Result<(), String> {
    if is_word(component) {
        return Ok(());
    }
    Err(format!(
        "a component's name has at most {MAX_WORD} lower-case letters, digits and single hyphens, \
         and begins with a letter"
    ))
}

/// Kebab case: `internet-mail`.
fn is_word(text: &str) -> bool {
    text.len() <= MAX_WORD
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// How deep values lie in one another. Recursive, but what comes in was parsed
/// by a decoder with a bound of its own (128 levels).
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewObject;
    use concord_base::{ObjectId, Timestamp};

    fn check(name: &str, details: Details) -> Result<(), String> {
        let new = NewObject::new(name, details);
        let object = Object::from_new(ObjectId(1), new, Timestamp(0));
        object.check().map_err(|error| error.to_string())
    }

    fn connector(component: &str, spaces: &[&str]) -> Details {
        Details::Connector(Connector {
            component: component.into(),
            enabled: true,
            address_spaces: spaces.iter().map(|s| s.parse().unwrap()).collect(),
            settings: serde_json::Map::new(),
        })
    }

    #[test]
    fn connectors_have_the_names_of_sockets() {
        assert_eq!(check("web-hook2", connector("webhook", &["*", "HOOK:*"])), Ok(()));
        for name in ["core", "Web", "web_hook", "-web", "web--hook", "2web", &"w".repeat(33)] {
            let refused = check(name, connector("webhook", &[]));
            assert!(refused.unwrap_err().contains("a connector's name"), "{name}");
        }
        assert!(check("web", connector("Web", &[])).is_err());
        assert!(check("internet-mail", connector("other", &[])).is_err());
        assert!(check("web", connector("web", &["a.test", "A.test"])).is_err());
    }

    #[test]
    fn settings_are_bounded() {
        let with = |value: Value| {
            let mut settings = serde_json::Map::new();
            settings.insert("x".into(), value);
            let Details::Connector(connector) = connector("web", &[]) else { unreachable!() };
            check("web", Details::Connector(Connector { settings, ..connector }))
        };
        assert_eq!(with(serde_json::json!({ "a": [1, 2.5, null, "b"] })), Ok(()));
        assert!(with(Value::from("x".repeat(70_000))).is_err());
        let deep = (0..20).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(with(deep).is_err());
    }

    #[test]
    fn generators_are_named_after_their_type() {
        let rule = |rule: &str| {
            Details::Generator(Generator { component: "webhook".into(), rule: rule.into() })
        };
        assert_eq!(check("HOOK", rule("%m")), Ok(()));
        assert!(
            check("hook", rule("%m")).unwrap_err().contains("write the address type as 'HOOK'")
        );
        let form = check("GWISE", rule("%m")).unwrap_err();
        assert!(form.contains("DOMAIN.POSTOFFICE.OBJECT"), "{form}");
        assert_eq!(check("GWISE", rule("EXCHANGE.FIRST.%m")), Ok(()));
        assert!(check("SMTP", rule("%m")).unwrap_err().contains("has a domain"));
        assert_eq!(check("SMTP", rule("%g.%s@example.org")), Ok(()));
        assert!(check("HOOK", rule("%z")).unwrap_err().contains("at character 2"));
    }
}
