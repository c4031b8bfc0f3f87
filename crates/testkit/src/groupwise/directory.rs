//! The system's directory, and what the gateway may do with it.

use super::strict::{Block, Complaint, Strict};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Three parts that name an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GwName {
    /// The domain.
    pub domain: String,
    /// The post office.
    pub post_office: String,
    /// The object.
    pub object: String,
}

impl GwName {
    /// A name of its parts.
    pub fn new(domain: &str, post_office: &str, object: &str) -> Self {
        Self { domain: domain.into(), post_office: post_office.into(), object: object.into() }
    }

    /// Reads `DOMAIN.POSTOFFICE.OBJECT`; the object may have dots.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().unwrap_or_default().trim().to_owned();
        Self { domain: next(), post_office: next(), object: next() }
    }

    pub(super) fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl std::fmt::Display for GwName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.domain, self.post_office, self.object)
    }
}

/// An object of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GwObject {
    /// Its name.
    pub name: GwName,
    /// Its fields by keyword in capitals (`LAST-NAME`), without empty ones.
    pub fields: BTreeMap<String, String>,
    /// Its names for gateways: type and external name.
    pub aliases: Vec<(String, String)>,
}

impl GwObject {
    /// A user with given name and surname; either may be empty.
    pub fn user(name: GwName, first: &str, last: &str) -> Self {
        let fields = [("FIRST-NAME", first), ("LAST-NAME", last), ("VISIBILITY", "System")];
        let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            name,
            fields: fields.map(|(key, value)| (key.into(), value.into())).collect(),
            aliases: Vec::new(),
        }
    }

    /// A field; empty if it has none.
    pub fn field(&self, keyword: &str) -> &str {
        self.fields.get(keyword).map(String::as_str).unwrap_or_default()
    }

    /// The block that tells of it.
    pub(super) fn block(&self, operation: &str) -> String {
        let mut text = String::from("DS-User=\r\n");
        let mut line = |name: &str, value: &str| {
            let _ = write!(text, "    {name}= {};\r\n", escaped(value));
        };
        line("Operation", operation);
        line("Domain", &self.name.domain);
        line("Post-Office", &self.name.post_office);
        line("Object", &self.name.object);
        for (keyword, value) in &self.fields {
            line(&spelled(keyword), value);
        }
        if self.aliases.is_empty() {
            text.push_str("    Gw-Alias=;\r\n");
        }
        for (n, (kind, name)) in self.aliases.iter().enumerate() {
            text.push_str(if n == 0 { "    Gw-Alias=\r\n" } else { "" });
            let close = if n + 1 == self.aliases.len() { " ;" } else { " ," };
            let (kind, name) = (escaped(kind), escaped(name));
            let _ =
                write!(text, "        Type= {kind};\r\n        External-Name= {name};{close}\r\n");
        }
        text.push_str("    ;\r\n");
        text
    }
}

/// `LAST-NAME` as `Last-Name`; the gateway's own spelling.
fn spelled(keyword: &str) -> String {
    match keyword {
        "ACCOUNT-ID" => "Account-ID".into(),
        "NETWORK-ID" => "Network-ID".into(),
        _ => {
            let words = keyword.split('-').map(|word| {
                let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
                format!("{first}{}", rest.to_ascii_lowercase())
            });
            words.collect::<Vec<_>>().join("-")
        }
    }
}

pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | ',' | ';') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// Every object, and the post offices that can hold some.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub objects: BTreeMap<String, GwObject>,
    /// `domain.postoffice` in small letters.
    pub post_offices: BTreeSet<String>,
    pub foreign_domains: Vec<String>,
}

impl Objects {
    pub(super) fn is_foreign(&self, domain: &str) -> bool {
        self.foreign_domains.iter().any(|d| d.eq_ignore_ascii_case(domain))
    }

    pub(super) fn has_post_office(&self, domain: &str, post_office: &str) -> bool {
        self.post_offices.contains(&format!("{domain}.{post_office}").to_lowercase())
    }

    pub(super) fn find(&self, name: &GwName) -> Option<&GwObject> {
        self.objects.get(&name.key())
    }

    /// Does what the blocks of a request want, in their order, up to the first
    /// that is refused. Gives the questions that have to be answered.
    pub(super) fn apply(&mut self, request: &Strict) -> Result<Vec<Question>, Complaint> {
        let mut questions = Vec::new();
        if request.has("-GET-DIRECTORY-") {
            questions.push(Question::Everything);
        }
        for block in request.blocks("DS-EXTERNAL-POST-OFFICE") {
            self.add_post_office(block)?;
        }
        for block in request.blocks("DS-USER") {
            questions.extend(self.apply_user(block)?);
        }
        Ok(questions)
    }

    fn add_post_office(&mut self, block: &Block) -> Result<(), Complaint> {
        let (domain, post_office) = (block.get("DOMAIN"), block.get("POST-OFFICE"));
        if !self.is_foreign(domain) {
            return Err(refused(block, &format!("Domain {domain} is not external foreign")));
        }
        if !block.get("OPERATION").eq_ignore_ascii_case("Add") || post_office.is_empty() {
            return Err(refused(block, "Post office cannot be added"));
        }
        self.post_offices.insert(format!("{domain}.{post_office}").to_lowercase());
        Ok(())
    }

    fn apply_user(&mut self, block: &Block) -> Result<Option<Question>, Complaint> {
        let name = GwName::new(block.get("DOMAIN"), block.get("POST-OFFICE"), block.get("OBJECT"));
        let operation = block.get("OPERATION").to_ascii_lowercase();
        if operation == "list" {
            return Ok(Some(Question::Users {
                domain: name.domain,
                post_office: name.post_office,
            }));
        }
        if !self.is_foreign(&name.domain) {
            return Err(refused(block, &format!("Domain {} is not external foreign", name.domain)));
        }
        if name.object.is_empty() {
            return Err(refused(block, "Object has no name"));
        }
        let key = name.key();
        match operation.as_str() {
            "add" if !self.has_post_office(&name.domain, &name.post_office) => {
                Err(refused(block, &format!("Post office of {name} does not exist")))
            }
            // An Add of what is there does no harm: the last connector of the
            // time sent one in front of every Modify (Q241086).
            "add" => {
                let empty = GwObject { name, fields: BTreeMap::new(), aliases: Vec::new() };
                change(self.objects.entry(key).or_insert(empty), block);
                Ok(None)
            }
            "modify" => match self.objects.get_mut(&key) {
                Some(object) => {
                    change(object, block);
                    Ok(None)
                }
                None => Err(refused(block, &format!("Object {name} does not exist"))),
            },
            "delete" => match self.objects.remove(&key) {
                Some(_) => Ok(None),
                None => Err(refused(block, &format!("Object {name} does not exist"))),
            },
            _ => Err(refused(block, "Unknown operation")),
        }
    }

    /// The objects that a question is for.
    pub(super) fn matching(&self, question: &Question) -> Vec<&GwObject> {
        let wanted = |object: &&GwObject| match question {
            Question::Everything => true,
            Question::Users { domain, post_office } => {
                object.name.domain.eq_ignore_ascii_case(domain)
                    && object.name.post_office.eq_ignore_ascii_case(post_office)
            }
        };
        self.objects.values().filter(wanted).collect()
    }
}

/// What a directory request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    Everything,
    Users { domain: String, post_office: String },
}

fn refused(block: &Block, why: &str) -> Complaint {
    Complaint { line: block.line, text: format!("Error processing object: {why}") }
}

fn change(object: &mut GwObject, block: &Block) {
    for (keyword, value) in &block.texts {
        match keyword.as_str() {
            "OPERATION" | "DOMAIN" | "POST-OFFICE" | "OBJECT" => {}
            "GW-ALIAS" => {
                let aliases = block.inner.iter();
                object.aliases = aliases
                    .map(|alias| (alias.get("TYPE").into(), alias.get("EXTERNAL-NAME").into()))
                    .collect();
            }
            // A lone backslash takes the value away (Q222506).
            _ if value == "\\" || value.is_empty() => drop(object.fields.remove(keyword)),
            _ => drop(object.fields.insert(keyword.clone(), value.clone())),
        }
    }
}
