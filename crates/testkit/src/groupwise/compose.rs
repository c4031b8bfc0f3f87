//! Headers as the gateway writes them.

use super::directory::{GwName, GwObject, Question, escaped};
use super::mail::{GwMail, GwOutgoing};
use super::settings::{AddressStyle, Knobs};
use super::state::{OutKind, Outgoing, State};
use std::fmt::Write as _;

/// One address of a list.
struct Party {
    name: GwName,
    first: String,
    last: String,
    token: String,
}

fn party(state: &State, name: &GwName, token: &str) -> Party {
    let object = state.objects.find(name);
    let field = |keyword| object.map(|o| o.field(keyword).to_owned()).unwrap_or_default();
    Party {
        name: name.clone(),
        first: field("FIRST-NAME"),
        last: field("LAST-NAME"),
        token: if token.is_empty() { "0001:0001".into() } else { token.into() },
    }
}

fn list(text: &mut String, keyword: &str, parties: &[Party], style: AddressStyle) {
    if parties.is_empty() {
        return;
    }
    if style == AddressStyle::GroupWise {
        let names: Vec<String> = parties.iter().map(|p| escaped(&p.name.to_string())).collect();
        let _ = write!(text, "{keyword}= {};\r\n", names.join(","));
        return;
    }
    let _ = write!(text, "{keyword}=\r\n");
    for (n, party) in parties.iter().enumerate() {
        let close = if n + 1 == parties.len() { ";" } else { "," };
        let _ = write!(
            text,
            "    WPD= {};\r\n    WPPO= {};\r\n    WPU= {};\r\n    CDBA= {};\r\n",
            escaped(&party.name.domain),
            escaped(&party.name.post_office),
            escaped(&party.name.object),
            escaped(&party.token)
        );
        let (first, last) = (escaped(&party.first), escaped(&party.last));
        let _ = write!(text, "    FN= {first};\r\n    LN= {last};\r\n    S= {last};\r\n");
        let _ = write!(text, "    G= {first};\r\n    Dept= ;\r\n    {close}\r\n");
    }
}

fn field(text: &mut String, keyword: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(text, "{keyword}= {};\r\n", escaped(value));
    }
}

/// An id, continued in another line if the knob says so.
fn id(text: &mut String, keyword: &str, id: &str, knobs: &Knobs) {
    let id = escaped(id);
    let cut = knobs.fold_ids.filter(|most| id.len() > *most);
    match cut.and_then(|at| id.split_at_checked(at)) {
        // Not between a backslash and what it escapes.
        Some((head, tail)) if !head.ends_with('\\') => {
            let _ = write!(text, "{keyword}=    {head}\r\n    {tail};\r\n");
        }
        _ => {
            let _ = write!(text, "{keyword}= {id};\r\n");
        }
    }
}

fn begin(state: &State, kind: &str) -> String {
    let mut text = String::from("WPC-API= 1.2;\r\nHeader-Char= T50;\r\n");
    if !(state.knobs.no_message_type && kind == "MAIL") {
        field(&mut text, "Msg-Type", kind);
    }
    text
}

/// An item for the other side. `foreign` are those of its recipients who are
/// there.
pub(super) fn item(
    state: &mut State,
    from: &GwName,
    item: &GwOutgoing,
    message_id: &str,
    answers: &str,
) -> Outgoing {
    let style = state.knobs.style;
    let kind = if item.kind.is_empty() { "MAIL" } else { &item.kind };
    let mut text = begin(state, &kind.to_uppercase());
    let sender = party(state, from, "");
    field(&mut text, "From-Text", &display(&sender));
    list(&mut text, "From", &[sender], style);
    let parse = |names: &[String]| names.iter().map(|n| GwName::parse(n)).collect::<Vec<_>>();
    let here = |names: &[GwName], all: bool| {
        let wanted = names.iter().filter(|n| all || state.objects.is_foreign(&n.domain));
        wanted.map(|name| party(state, name, "")).collect::<Vec<_>>()
    };
    let (to, copies, blind) = (parse(&item.to), parse(&item.copies), parse(&item.blind_copies));
    let mut heading = to.clone();
    heading.extend(parse(&item.list_members));
    list(&mut text, "To", &here(&to, false), style);
    list(&mut text, "To-CC", &here(&copies, false), style);
    list(&mut text, "To-BC", &here(&blind, false), style);
    list(&mut text, "All-To", &here(&heading, true), style);
    list(&mut text, "All-To-CC", &here(&copies, true), style);
    let names: Vec<String> = here(&to, true).iter().map(display).collect();
    // The gateway does not escape the commas between names.
    let _ = write!(text, "To-Text=\r\n    {};\r\n", names.join(", "));
    content_fields(&mut text, state, item);
    id(&mut text, "Msg-Id", message_id, &state.knobs);
    if !answers.is_empty() {
        id(&mut text, "Orig-Msg-Id", answers, &state.knobs);
    }
    item_fields(&mut text, state, item);
    text.push_str("-END-\r\n");
    let name = state.header_name();
    let stem = name.trim_end_matches(".api").to_owned();
    let mut content = vec![(format!("{stem}.bdy"), state.knobs.page.encode(&item.body))];
    content.extend(item.files.iter().map(|file| (file.name.clone(), file.octets.clone())));
    Outgoing { name, kind: OutKind::Mail, header: text, content }
}

fn display(party: &Party) -> String {
    let name = format!("{} {}", party.first, party.last).trim().to_owned();
    if name.is_empty() { party.name.object.clone() } else { name }
}

fn content_fields(text: &mut String, state: &State, item: &GwOutgoing) {
    text.push_str("Msg-Char= T50;\r\nMsg-File= {FILE 0};\r\n");
    if !item.files.is_empty() {
        text.push_str("Attach-File=\r\n");
    }
    for (n, file) in item.files.iter().enumerate() {
        let close = if n + 1 == item.files.len() { "" } else { "," };
        let _ = write!(
            text,
            "    Current-File= {{FILE {}}};\r\n    Size= {};\r\n    Original-File= {};\r\n    Date= {};{close}\r\n",
            n + 1,
            file.octets.len(),
            escaped(&file.name),
            state.now()
        );
    }
}

fn item_fields(text: &mut String, state: &State, item: &GwOutgoing) {
    field(text, "Subject", &item.subject);
    field(text, "Date-Sent", &state.now());
    field(text, "Begin-Time", &item.begin);
    field(text, "End-Time", &item.end);
    field(text, "Location", &item.location);
    let or =
        |value: &str, usual: &str| if value.is_empty() { usual.into() } else { value.to_owned() };
    field(text, "Security", &or(&item.security, "Normal"));
    field(text, "Msg-Priority", &or(&item.priority, "Normal"));
    field(text, "Send-Options", "None");
    field(text, "Status-Request", &or(&item.status_request, "None"));
}

/// What became of an item that came from the other side.
pub(super) fn status(
    state: &mut State,
    recipient: &GwName,
    mail: &GwMail,
    action: &str,
    reason: &str,
) -> Outgoing {
    let style = state.knobs.style;
    let mut text = begin(state, &mail.kind);
    list(&mut text, "From", &[party(state, recipient, "")], style);
    list(&mut text, "To", &[party(state, &mail.from, &mail.token)], style);
    field(&mut text, "Subject", &mail.subject);
    id(&mut text, "Orig-Msg-Id", &mail.id, &state.knobs);
    let action = match action {
        "Undeliverable" if state.knobs.other_status_words => "UNDELIVERED".to_owned(),
        other if state.knobs.other_status_words => other.to_uppercase(),
        other => other.to_owned(),
    };
    let _ =
        write!(text, "Status-Report=\r\n    Action= {action};\r\n    Time= {};\r\n", state.now());
    if !reason.is_empty() {
        let _ = write!(text, "    Reason= {};\r\n", escaped(reason));
    }
    text.push_str("    ;\r\nSend-Options= None;\r\n-END-\r\n");
    Outgoing { name: state.header_name(), kind: OutKind::Status, header: text, content: Vec::new() }
}

/// The answer to a directory request, under the name of its file.
pub(super) fn answer(
    question: &Question,
    objects: &[&GwObject],
    name: &str,
    shrink: Option<u8>,
) -> Outgoing {
    let mut text = String::from(
        "Header-Char= T50;\r\nMsg-Type= ADMIN;\r\n# The query information was:\r\n#   Type = DS-User\r\n",
    );
    if let Question::Users { domain, post_office } = question {
        let _ = write!(text, "#   Domain = {domain}\r\n#   Post Office = {post_office}\r\n");
    }
    if objects.is_empty() {
        text.push_str("# There are no objects which match the query criteria\r\n");
    }
    let share = shrink.map_or(objects.len(), |percent| objects.len() * usize::from(percent) / 100);
    for object in objects.iter().take(share) {
        text.push_str(&object.block("List"));
    }
    text.push_str("-END-\r\n");
    Outgoing { name: name.into(), kind: OutKind::Answer, header: text, content: Vec::new() }
}

/// A user here asks when somebody on the other side is busy.
pub(super) fn search(
    state: &mut State,
    from: &GwName,
    about: &GwName,
    begin_time: &str,
    end_time: &str,
) -> (String, Outgoing) {
    let message_id = state.message_id();
    let style = state.knobs.style;
    let mut text = begin(state, "SEARCH");
    list(&mut text, "From", &[party(state, from, &from.to_string())], style);
    list(&mut text, "To", &[party(state, about, &about.to_string())], style);
    id(&mut text, "Msg-Id", &message_id, &state.knobs);
    field(&mut text, "Begin-Time", begin_time);
    field(&mut text, "End-Time", end_time);
    text.push_str("-END-\r\n");
    let name = state.header_name();
    (message_id, Outgoing { name, kind: OutKind::Busy, header: text, content: Vec::new() })
}

/// The answer to a busy search, under the name of its file.
pub(super) fn busy(
    name: &str,
    answers: &str,
    asker: &str,
    about: &str,
    times: &[(String, String)],
    knobs: &Knobs,
) -> Outgoing {
    let mut text = String::from("WPC-API= 1.2;\r\nHeader-Char= T50;\r\nMsg-Type= SEARCH;\r\n");
    id(&mut text, "Orig-Msg-ID", answers, knobs);
    let _ = write!(
        text,
        "To=\r\n    CDBA= {};\r\n    ;\r\nBusy-For=\r\n        CDBA= {};\r\nBusy-Report=\r\n",
        escaped(asker),
        escaped(about)
    );
    for (n, (begin, end)) in times.iter().enumerate() {
        let close = if n + 1 == times.len() { "" } else { " ," };
        let _ = write!(text, "    Start-Time= {begin};\r\n    End-Time= {end};{close}\r\n");
    }
    text.push_str("    ;\r\nSend-Options= None;\r\n-END-\r\n");
    Outgoing { name: name.into(), kind: OutKind::Busy, header: text, content: Vec::new() }
}

/// A probe that comes back: another id, and what the gateway adds.
pub(super) fn probe(
    state: &mut State,
    name: &str,
    from: &GwName,
    about: &GwName,
    times: (&str, &str),
) -> Outgoing {
    let message_id = state.message_id();
    let mut text = begin(state, "SEARCH");
    field(&mut text, "From-Text", &from.object);
    list(&mut text, "From", &[party(state, from, &from.to_string())], AddressStyle::Component);
    let _ = write!(
        text,
        "To=\r\n    WPD= {d};\r\n    WPPO= {p};\r\n    WPU= {u};\r\n    WPPONUM= 1;\r\n    WPUNUM= 1;\r\n    CDBA= {d}.{p}.{u};\r\n    ;\r\n",
        d = escaped(&about.domain),
        p = escaped(&about.post_office),
        u = escaped(&about.object)
    );
    id(&mut text, "Msg-Id", &message_id, &state.knobs);
    field(&mut text, "Date-Sent", &state.now());
    text.push_str("Send-Options= None;\r\nStatus-Request= None;\r\n");
    field(&mut text, "Begin-Time", times.0);
    field(&mut text, "End-Time", times.1);
    text.push_str("-END-\r\n");
    Outgoing { name: name.into(), kind: OutKind::Busy, header: text, content: Vec::new() }
}
