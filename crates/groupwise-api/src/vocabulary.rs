//! Every word of the files in one place: keywords with what follows them, and
//! the words of values with what they mean.
//!
//! Keywords are those of API 1.2. The words of values are partly derived,
//! since Novell's own list is lost: they are what the GroupWise client of the
//! time called things. Each meaning is written with the first word of its row
//! and read from any.

use crate::model::{Action, EntryKind, ItemKind, Operation, Priority, Security, StatusRequest};

/// What follows a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A value up to `;`.
    Text,
    /// Blocks of sub-keywords, or dotted addresses.
    Addresses,
    /// Blocks of these sub-keywords.
    Blocks(&'static [(&'static str, Sub)]),
    /// Nothing: `-NAME-`.
    Flag,
}

macro_rules! keywords {
    ($(#[$about:meta])* $kind:ident $table:ident { $($name:ident $text:literal $shape:expr;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $kind { $($name,)* }

        const $table: &[(&str, $kind, Shape)] = &[$(($text, $kind::$name, $shape),)*];
    };
}

keywords! {
    /// A word at the left margin.
    Keyword KEYWORDS {
        WpcApi "WPC-API" Shape::Text;
        MsgType "Msg-Type" Shape::Text;
        HeaderChar "Header-Char" Shape::Text;
        MsgChar "Msg-Char" Shape::Text;
        MsgId "Msg-Id" Shape::Text;
        OrigMsgId "Orig-Msg-Id" Shape::Text;
        From "From" Shape::Addresses;
        FromText "From-Text" Shape::Text;
        To "To" Shape::Addresses;
        ToCc "To-Cc" Shape::Addresses;
        ToBc "To-Bc" Shape::Addresses;
        AllTo "All-To" Shape::Addresses;
        AllToCc "All-To-Cc" Shape::Addresses;
        ToText "To-Text" Shape::Text;
        ToCcText "To-Cc-Text" Shape::Text;
        Subject "Subject" Shape::Text;
        DateSent "Date-Sent" Shape::Text;
        DistributeDate "Distribute-Date" Shape::Text;
        BeginTime "Begin-Time" Shape::Text;
        EndTime "End-Time" Shape::Text;
        RespondBy "Respond-By" Shape::Text;
        Location "Location" Shape::Text;
        MsgFile "Msg-File" Shape::Text;
        AttachFile "Attach-File" Shape::Blocks(ATTACHMENT);
        MsgPriority "Msg-Priority" Shape::Text;
        Security "Security" Shape::Text;
        SendOptions "Send-Options" Shape::Text;
        StatusRequest "Status-Request" Shape::Text;
        StatusReport "Status-Report" Shape::Blocks(STATUS);
        SetStatus "Set-Status" Shape::Text;
        MsgAction "Msg-Action" Shape::Text;
        MsgView "Msg-View" Shape::Text;
        FolderName "Folder-Name" Shape::Text;
        BusyFor "Busy-For" Shape::Addresses;
        BusyReport "Busy-Report" Shape::Blocks(SPAN);
        CallAction "Call-Action" Shape::Text;
        CallerName "Caller-Name" Shape::Text;
        CallerCompany "Caller-Company" Shape::Text;
        CallerPhone "Caller-Phone" Shape::Text;
        TaskCategory "Task-Category" Shape::Text;
        TaskPriority "Task-Priority" Shape::Text;
        GetDirectory "-GET-DIRECTORY-" Shape::Flag;
        DsUser "DS-User" Shape::Blocks(OBJECT);
        DsExternalPostOffice "DS-External-Post-Office" Shape::Blocks(OBJECT);
        DsGroup "DS-Group" Shape::Blocks(OBJECT);
        DsResource "DS-Resource" Shape::Blocks(OBJECT);
    }
}

/// A word inside a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sub {
    Domain,
    PostOffice,
    Object,
    PostOfficeNumber,
    ObjectNumber,
    Token,
    Foreign,
    GivenName,
    Surname,
    Department,
    Title,
    Telephone,
    Fax,
    CurrentFile,
    OriginalFile,
    Size,
    Date,
    ConversionAllowed,
    Begin,
    End,
    Action,
    Time,
    Detail,
    Operation,
    Visibility,
    Description,
    AccountId,
    NetworkId,
    TimeZone,
    GwAlias,
    Kind,
    ExternalName,
}

/// Sub-keywords of an address. Where two say the same, the first one is used.
pub(crate) const ADDRESS: &[(&str, Sub)] = &[
    ("WPD", Sub::Domain),
    ("WPPO", Sub::PostOffice),
    ("WPU", Sub::Object),
    ("WPPONUM", Sub::PostOfficeNumber),
    ("WPUNUM", Sub::ObjectNumber),
    ("CDBA", Sub::Token),
    ("FUA", Sub::Foreign),
    ("FN", Sub::GivenName),
    ("LN", Sub::Surname),
    ("S", Sub::Surname),
    ("G", Sub::GivenName),
    ("Dept", Sub::Department),
    ("TTL", Sub::Title),
    ("TEL", Sub::Telephone),
    ("FAX", Sub::Fax),
];

const ATTACHMENT: &[(&str, Sub)] = &[
    ("Current-File", Sub::CurrentFile),
    ("Original-File", Sub::OriginalFile),
    ("Size", Sub::Size),
    ("Date", Sub::Date),
    ("-CONVERSION-ALLOWED-", Sub::ConversionAllowed),
];

const SPAN: &[(&str, Sub)] = &[("Start-Time", Sub::Begin), ("End-Time", Sub::End)];

/// The words behind `Time` are derived: no text names them.
const STATUS: &[(&str, Sub)] = &[
    ("Action", Sub::Action),
    ("Time", Sub::Time),
    ("Reason", Sub::Detail),
    ("Error", Sub::Detail),
    ("Text", Sub::Detail),
    ("Description", Sub::Detail),
];

const OBJECT: &[(&str, Sub)] = &[
    ("Operation", Sub::Operation),
    ("Visibility", Sub::Visibility),
    ("Domain", Sub::Domain),
    ("Post-Office", Sub::PostOffice),
    ("Object", Sub::Object),
    ("Last-Name", Sub::Surname),
    ("First-Name", Sub::GivenName),
    ("Description", Sub::Description),
    ("Account-ID", Sub::AccountId),
    ("Title", Sub::Title),
    ("Department", Sub::Department),
    ("Phone", Sub::Telephone),
    ("Fax", Sub::Fax),
    ("Network-ID", Sub::NetworkId),
    ("Time-Zone", Sub::TimeZone),
    ("Gw-Alias", Sub::GwAlias),
];

const ALIAS: &[(&str, Sub)] = &[("Type", Sub::Kind), ("External-Name", Sub::ExternalName)];

/// The keyword of this name, in any case, and what follows it.
pub(crate) fn keyword(name: &[u8]) -> Option<(Keyword, Shape)> {
    let found = KEYWORDS.iter().find(|(text, ..)| text.as_bytes().eq_ignore_ascii_case(name));
    found.map(|(_, keyword, shape)| (*keyword, *shape))
}

/// The sub-keyword of this name, in any case.
pub(crate) fn sub(table: &'static [(&'static str, Sub)], name: &[u8]) -> Option<Sub> {
    let found = table.iter().find(|(text, _)| text.as_bytes().eq_ignore_ascii_case(name));
    found.map(|(_, sub)| *sub)
}

/// How a sub-keyword is written behind `keyword`.
pub(crate) fn sub_name(keyword: Keyword, sub: Sub) -> &'static str {
    let shape = KEYWORDS.iter().find(|(_, k, _)| *k == keyword).map(|(.., shape)| *shape);
    let table = match shape {
        Some(Shape::Blocks(table)) => table,
        _ => ADDRESS,
    };
    table.iter().find(|(_, s)| *s == sub).map_or("", |(name, _)| name)
}

/// The sub-keywords of the blocks inside a block, if it has any.
pub(crate) const fn inner(sub: Sub) -> Option<&'static [(&'static str, Sub)]> {
    match sub {
        Sub::GwAlias => Some(ALIAS),
        _ => None,
    }
}

impl Keyword {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        KEYWORDS.iter().find(|(_, keyword, _)| *keyword == self).map_or("", |(name, ..)| name)
    }
}

/// What a file says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    Item(ItemKind),
    Search,
    Admin,
}

type Words<T> = &'static [(&'static str, T)];

pub(crate) const MESSAGE_TYPES: Words<MessageType> = &[
    ("Mail", MessageType::Item(ItemKind::Mail)),
    ("Appt", MessageType::Item(ItemKind::Appointment)),
    ("Appointment", MessageType::Item(ItemKind::Appointment)),
    ("Note", MessageType::Item(ItemKind::Note)),
    ("Task", MessageType::Item(ItemKind::Task)),
    ("Phone", MessageType::Item(ItemKind::Phone)),
    ("PassThrough", MessageType::Item(ItemKind::PassThrough)),
    ("Search", MessageType::Search),
    ("Admin", MessageType::Admin),
];

pub(crate) const ACTIONS: Words<Action> = &[
    ("Delivered", Action::Delivered),
    ("Transferred", Action::Transferred),
    ("Opened", Action::Opened),
    ("Read", Action::Opened),
    ("Deleted", Action::Deleted),
    ("Emptied", Action::Deleted),
    ("Undeliverable", Action::Undeliverable),
    ("Undelivered", Action::Undeliverable),
    ("Not Delivered", Action::Undeliverable),
    ("Failed", Action::Undeliverable),
    ("Delayed", Action::Delayed),
    ("Pending", Action::Delayed),
    ("Accepted", Action::Accepted),
    ("Accept", Action::Accepted),
    // GroupWise of the time had no tentative answer.
    ("Tentative", Action::Accepted),
    ("Declined", Action::Declined),
    ("Decline", Action::Declined),
    ("Completed", Action::Completed),
    ("Complete", Action::Completed),
    ("Delegated", Action::Delegated),
    ("Forwarded", Action::Forwarded),
    ("Replied", Action::Replied),
];

pub(crate) const PRIORITIES: Words<Priority> = &[
    ("High", Priority::High),
    ("Normal", Priority::Normal),
    ("Standard", Priority::Normal),
    ("Low", Priority::Low),
];

pub(crate) const SECURITIES: Words<Security> = &[
    ("Normal", Security::Normal),
    ("Proprietary", Security::Proprietary),
    ("Confidential", Security::Confidential),
    ("Secret", Security::Secret),
    ("Top Secret", Security::TopSecret),
    ("For Your Eyes Only", Security::ForYourEyesOnly),
    ("Eyes Only", Security::ForYourEyesOnly),
    // The outside world's words for it.
    ("Private", Security::Confidential),
    ("Personal", Security::ForYourEyesOnly),
];

pub(crate) const OPERATIONS: Words<Operation> = &[
    ("List", Operation::List),
    ("Add", Operation::Add),
    ("Modify", Operation::Modify),
    ("Delete", Operation::Delete),
];

pub(crate) const OBJECT_KINDS: Words<(Keyword, EntryKind)> = &[
    ("DS-User", (Keyword::DsUser, EntryKind::User)),
    ("DS-Group", (Keyword::DsGroup, EntryKind::Group)),
    ("DS-Resource", (Keyword::DsResource, EntryKind::Resource)),
    ("DS-External-Post-Office", (Keyword::DsExternalPostOffice, EntryKind::ExternalPostOffice)),
];

/// The meaning of a word. Case, blanks and hyphens do not matter.
pub(crate) fn meaning<T: Copy>(words: Words<T>, word: &str) -> Option<T> {
    let letters = |text: &str| -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).collect()
    };
    let sought = letters(word);
    words.iter().find(|(text, _)| letters(text) == sought).map(|(_, meaning)| *meaning)
}

/// The word that is written for a meaning.
pub(crate) fn word<T: PartialEq>(words: Words<T>, meaning: &T) -> &'static str {
    words.iter().find(|(_, m)| m == meaning).map_or("", |(word, _)| word)
}

/// Reads `Status-Request`: any of its words, in any order and combination.
/// `None` if a word is not known.
pub(crate) fn status_request(text: &str) -> Option<StatusRequest> {
    let mut request = StatusRequest::default();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "none" | "no" | "and" | "information" | "0" => {}
            "delivered" | "delivery" => request.delivered = true,
            "opened" | "open" | "read" => request.opened = true,
            "all" | "full" | "everything" => {
                request = StatusRequest { delivered: true, opened: true, everything: true };
            }
            _ => return None,
        }
    }
    Some(request)
}

/// Writes `Status-Request` in the words of the client's options dialog.
pub(crate) const fn status_request_word(request: StatusRequest) -> &'static str {
    match (request.everything, request.delivered, request.opened) {
        (true, ..) => "All Information",
        (_, true, true) => "Delivered and Opened",
        (_, true, _) => "Delivered",
        (_, _, true) => "Opened",
        _ => "None",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_status_reports_are_taken_in_any_case_and_spelling() {
        assert_eq!(meaning(ACTIONS, "UNDELIVERED"), Some(Action::Undeliverable));
        assert_eq!(meaning(ACTIONS, "not-delivered"), Some(Action::Undeliverable));
        assert_eq!(meaning(ACTIONS, "read"), Some(Action::Opened));
        assert_eq!(meaning(ACTIONS, "Eaten"), None);
    }

    #[test]
    fn what_is_asked_for_is_written_and_read() {
        for n in 0..4 {
            let request =
                StatusRequest { delivered: n & 1 > 0, opened: n & 2 > 0, everything: false };
            assert_eq!(status_request(status_request_word(request)), Some(request));
        }
        let all = StatusRequest { delivered: true, opened: true, everything: true };
        assert_eq!(status_request(status_request_word(all)), Some(all));
        assert_eq!(status_request("delivered, opened").map(|r| r.opened), Some(true));
        assert_eq!(status_request("perhaps"), None);
    }

    #[test]
    fn every_keyword_is_found_by_its_own_name() {
        for (name, keyword, _) in KEYWORDS {
            assert_eq!(super::keyword(name.as_bytes()).map(|k| k.0), Some(*keyword));
            assert_eq!(keyword.name(), *name);
        }
    }
}
