//! The directory of a GroupWise system.

/// What is done with an object, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Asked for, or an answer to that.
    List,
    /// Created. Refused if it exists.
    Add,
    /// Changed. Refused if it does not exist (Q241086).
    Modify,
    /// Taken away.
    Delete,
}

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A user.
    User,
    /// A distribution list; known by name only.
    Group,
    /// A resource; known by name only.
    Resource,
    /// A post office of a foreign domain.
    ExternalPostOffice,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Value {
    /// Nothing is said of it; a change leaves it.
    #[default]
    Unsaid,
    /// It has no value; a change takes the value away.
    Nothing,
    /// Its value; not empty.
    Text(String),
}

/// Another name of an object, for a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alias {
    /// Which kind of gateway: `exchange`, `SMTP`.
    pub kind: String,
    /// The name there.
    pub external_name: String,
}

/// An object, or a question for objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// What is done; an answer without one is a list.
    pub operation: Operation,
    /// Its domain.
    pub domain: String,
    /// Its post office.
    pub post_office: String,
    /// Its name in the post office. The only name that is always there
    /// (Q201547); empty in a question, and for post offices.
    pub object: String,
    /// Who sees it: `System`, `Domain`, `Post Office`, `None`.
    pub visibility: Value,
    /// Surname.
    pub last_name: Value,
    /// Given name.
    pub first_name: Value,
    /// Free text.
    pub description: Value,
    /// Account number.
    pub account_id: Value,
    /// Title.
    pub title: Value,
    /// Department.
    pub department: Value,
    /// Telephone number.
    pub phone: Value,
    /// Fax number.
    pub fax: Value,
    /// Name in the network's directory.
    pub network_id: Value,
    /// Time zone of a post office, `gmt`.
    pub time_zone: Value,
    /// Names for gateways; `None` if nothing is said of them.
    pub aliases: Option<Vec<Alias>>,
}

/// What an answer says it was asked, in its comments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// `DS-User`.
    pub kind: String,
    /// The domain that was asked for.
    pub domain: String,
    /// The post office that was asked for.
    pub post_office: String,
}

/// Requests, answers or updates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Its id, if it has one.
    pub id: String,
    /// The id of the request, if it is an answer and says so.
    pub answers: String,
    /// Whether the whole directory is asked for.
    pub everything: bool,
    /// The objects, in the order in which they stand.
    pub entries: Vec<Entry>,
    /// What was asked, if this is an answer that says so.
    pub query: Option<Query>,
    /// The gateway says that no object matches: an empty answer, not a
    /// mistake (Q214648).
    pub nothing_found: bool,
}

impl Value {
    /// The text; empty if there is none.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Unsaid | Self::Nothing => "",
        }
    }

    /// A text, or that there is none.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

impl Entry {
    /// An object of which nothing but its place and name is said.
    pub fn new(
        kind: EntryKind,
        operation: Operation,
        domain: impl Into<String>,
        post_office: impl Into<String>,
        object: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            operation,
            domain: domain.into(),
            post_office: post_office.into(),
            object: object.into(),
            visibility: Value::Unsaid,
            last_name: Value::Unsaid,
            first_name: Value::Unsaid,
            description: Value::Unsaid,
            account_id: Value::Unsaid,
            title: Value::Unsaid,
            department: Value::Unsaid,
            phone: Value::Unsaid,
            fax: Value::Unsaid,
            network_id: Value::Unsaid,
            time_zone: Value::Unsaid,
            aliases: None,
        }
    }

    /// The name to show: given name and surname, or the object's name if it
    /// has neither (Q201547).
    pub fn display_name(&self) -> String {
        let names = [self.first_name.as_str(), self.last_name.as_str()];
        let named = names.into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ");
        if named.is_empty() { self.object.clone() } else { named }
    }
}

impl Directory {
    /// The question for every object of every domain.
    pub fn get_everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// The question for the users of one post office (Q222506).
    pub fn list_users(domain: impl Into<String>, post_office: impl Into<String>) -> Self {
        let mut entry = Entry::new(EntryKind::User, Operation::List, domain, post_office, "");
        entry.visibility = Value::Text("System".into());
        entry.aliases = Some(Vec::new());
        Self { entries: vec![entry], ..Self::default() }
    }

    /// The order to create a post office of a foreign domain (Q222506).
    pub fn add_post_office(domain: impl Into<String>, post_office: impl Into<String>) -> Self {
        let kind = EntryKind::ExternalPostOffice;
        let mut entry = Entry::new(kind, Operation::Add, domain, post_office, "");
        entry.time_zone = Value::Text("gmt".into());
        Self { entries: vec![entry], ..Self::default() }
    }
}
