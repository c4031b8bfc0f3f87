//! What the gateway does with a file from `API_IN`.

use super::compose;
use super::directory::{GwName, Question};
use super::mail::{GwFile, GwMail, GwProblem, GwStatus};
use super::settings::AddressStyle;
use super::state::State;
use super::strict::{self, Block, Complaint, Strict};
use crate::trouble::Result;
use std::path::{Path, PathBuf};

/// The user that a probe is for.
const PROBE: &str = "FB-PROBE";

/// The directories of a gateway.
#[derive(Debug, Clone)]
pub(super) struct Directories {
    pub root: PathBuf,
}

impl Directories {
    pub(super) fn create(root: &Path) -> Result<Self> {
        for name in ["API_IN", "ATT_IN", "API_OUT", "ATT_OUT", "GWHOLD", "GWPROB"] {
            std::fs::create_dir_all(root.join(name))?;
        }
        for name in ["WPCSIN", "WPCSOUT/API"] {
            for priority in 0..8 {
                std::fs::create_dir_all(root.join(name).join(priority.to_string()))?;
            }
        }
        Ok(Self { root: root.to_owned() })
    }

    pub(super) fn join(&self, directory: &str, name: &str) -> PathBuf {
        self.root.join(directory).join(name)
    }
}

/// Takes one file. It is gone from `API_IN` afterwards.
pub(super) fn take(state: &mut State, directories: &Directories, name: &str) -> Result<()> {
    let path = directories.join("API_IN", name);
    let octets = std::fs::read(&path)?;
    state.say(format!("Processing inbound message {name}"));
    let read = strict::read(&octets, state.knobs.page, state.knobs.style);
    let done = read.and_then(|file| {
        process(state, directories, name, &file).map_err(|complaint| vec![complaint])?;
        Ok(content_names(&file))
    });
    match done {
        Ok(content) => {
            for name in content {
                let _ = std::fs::remove_file(directories.join("ATT_IN", &name));
            }
        }
        Err(complaints) => refuse(state, directories, name, octets, &complaints)?,
    }
    std::fs::remove_file(path)?;
    state.taken += 1;
    Ok(())
}

/// Puts a file into `GWPROB`, with the complaints behind its end (Q222538).
fn refuse(
    state: &mut State,
    directories: &Directories,
    name: &str,
    mut octets: Vec<u8>,
    complaints: &[Complaint],
) -> Result<()> {
    let lines: Vec<String> =
        complaints.iter().map(|c| format!("Line {:03} {}", c.line, c.text)).collect();
    for line in &lines {
        state.say(line.clone());
        octets.extend_from_slice(line.as_bytes());
        octets.extend_from_slice(b"\r\n");
    }
    std::fs::write(directories.join("GWPROB", name), octets)?;
    state.problems.push(GwProblem { file: name.to_owned(), complaints: lines });
    Ok(())
}

fn content_names(file: &Strict) -> Vec<String> {
    let body = Some(file.text("MSG-FILE").to_owned()).filter(|name| !name.is_empty());
    let files = file.blocks("ATTACH-FILE").into_iter();
    body.into_iter().chain(files.map(|block| block.get("CURRENT-FILE").to_owned())).collect()
}

fn complaint(text: impl Into<String>) -> Complaint {
    Complaint { line: 0, text: text.into() }
}

fn process(
    state: &mut State,
    directories: &Directories,
    name: &str,
    file: &Strict,
) -> std::result::Result<(), Complaint> {
    if file.text("WPC-API").is_empty() {
        return Err(complaint("WPC-API is missing"));
    }
    let kind = file.text("MSG-TYPE").to_ascii_uppercase();
    match kind.as_str() {
        "ADMIN" => administer(state, name, file),
        "SEARCH" => search(state, name, file),
        "" | "MAIL" | "APPT" | "NOTE" | "TASK" | "PHONE" => {
            if file.has("STATUS-REPORT") || file.has("SET-STATUS") {
                return status(state, file);
            }
            deliver(state, directories, file, if kind.is_empty() { "MAIL" } else { &kind })
        }
        other => Err(complaint(format!("Unknown message type {other}"))),
    }
}

fn administer(state: &mut State, name: &str, file: &Strict) -> std::result::Result<(), Complaint> {
    let questions = state.objects.apply(file)?;
    if state.knobs.synchronisation {
        state.say("Directory request ignored in Synchronization mode");
        return Ok(());
    }
    for (n, question) in questions.iter().enumerate() {
        let shrink = state.knobs.shrink_answer.take();
        let name = if n == 0 { name.to_owned() } else { state.header_name() };
        let answer = {
            let objects = state.objects.matching(question);
            compose::answer(question, &objects, &name, shrink)
        };
        if let Question::Users { domain, post_office } = question {
            state.say(format!("List of {domain}.{post_office}"));
        }
        state.outbox.push_back(answer);
    }
    Ok(())
}

fn names(state: &State, file: &Strict, keyword: &str) -> Vec<(GwName, String)> {
    file.blocks(keyword).into_iter().map(|block| name_of(state, block)).collect()
}

fn name_of(state: &State, block: &Block) -> (GwName, String) {
    let name = match state.knobs.style {
        AddressStyle::Component => {
            GwName::new(block.get("WPD"), block.get("WPPO"), block.get("WPU"))
        }
        AddressStyle::GroupWise => GwName::parse(block.get("DOTTED")),
    };
    (name, block.get("CDBA").to_owned())
}

fn only(state: &State, file: &Strict, keyword: &str) -> (GwName, String) {
    let first = names(state, file, keyword).into_iter().next();
    first.unwrap_or_else(|| (GwName::new("", "", ""), String::new()))
}

fn search(state: &mut State, name: &str, file: &Strict) -> std::result::Result<(), Complaint> {
    let answers = file.text("ORIG-MSG-ID").to_owned();
    if file.has("BUSY-REPORT") || !answers.is_empty() {
        if answers.is_empty() {
            return Err(complaint("Message does not contain Orig-Msg-ID property"));
        }
        let times = file.blocks("BUSY-REPORT").into_iter();
        let times =
            times.map(|b| (b.get("START-TIME").to_owned(), b.get("END-TIME").to_owned())).collect();
        state.busy_answers.insert(answers, times);
        return Ok(());
    }
    let id = file.text("MSG-ID").to_owned();
    state.searches.push(id.clone());
    if state.knobs.mute_searches {
        return Ok(());
    }
    let (from, asker) = only(state, file, "FROM");
    let (about, token) = only(state, file, "TO");
    if about.object.eq_ignore_ascii_case(PROBE) {
        let times = (file.text("BEGIN-TIME").to_owned(), file.text("END-TIME").to_owned());
        let echo = compose::probe(state, name, &from, &about, (&times.0, &times.1));
        state.outbox.push_back(echo);
        return Ok(());
    }
    if !state.is_user(&about) {
        // The original went down at this point (Q201531).
        state.abends += 1;
        state.say(format!("Message does not contain Orig-Msg-ID property: {about}"));
        return Ok(());
    }
    let times = state.busy.get(&about.key()).cloned().unwrap_or_default();
    let answer = compose::busy(name, &id, &asker, &token, &times, &state.knobs);
    state.outbox.push_back(answer);
    Ok(())
}

fn status(state: &mut State, file: &Strict) -> std::result::Result<(), Complaint> {
    let id = file.text("ORIG-MSG-ID").to_owned();
    if id.is_empty() {
        return Err(complaint("Message does not contain Orig-Msg-ID property"));
    }
    let (from, _) = only(state, file, "FROM");
    let mut statuses: Vec<GwStatus> = file
        .blocks("STATUS-REPORT")
        .into_iter()
        .map(|block| GwStatus {
            from: from.clone(),
            action: block.get("ACTION").to_owned(),
            time: block.get("TIME").to_owned(),
            reason: block.get("REASON").to_owned(),
        })
        .collect();
    let set = file.text("SET-STATUS");
    if !set.is_empty() {
        let (action, time) = (set.to_owned(), String::new());
        statuses.push(GwStatus { from, action, time, reason: String::new() });
    }
    match state.sent.get_mut(&id) {
        Some(sent) => {
            sent.statuses.append(&mut statuses);
            Ok(())
        }
        None => Err(complaint(format!("Message {id} is not in the correlation database"))),
    }
}

fn deliver(
    state: &mut State,
    directories: &Directories,
    file: &Strict,
    kind: &str,
) -> std::result::Result<(), Complaint> {
    let mail = mail(state, directories, file, kind)?;
    let recipients: Vec<GwName> = ["TO", "TO-CC", "TO-BC"]
        .into_iter()
        .flat_map(|keyword| names(state, file, keyword))
        .map(|(name, _)| name)
        .collect();
    if recipients.is_empty() {
        return Err(complaint("Info - No active recipients"));
    }
    let reachable = |state: &State, name: &GwName| {
        !state.objects.is_foreign(&name.domain)
            && state.objects.has_post_office(&name.domain, &name.post_office)
    };
    if let Some(lost) = recipients.iter().find(|name| !reachable(state, name))
        && recipients.iter().all(|name| !reachable(state, name))
    {
        return Err(complaint(format!("Unknown destination in address string: {lost}")));
    }
    let asked = file.text("STATUS-REQUEST").to_ascii_lowercase();
    let tell = asked.contains("deliver") || asked.contains("all");
    for recipient in recipients {
        let why = match (reachable(state, &recipient), state.is_user(&recipient)) {
            (false, _) => "Unknown destination in address string",
            (true, false) => "Unknown user",
            (true, true) => "",
        };
        if why.is_empty() {
            put(state, &recipient, mail.clone());
        }
        if tell || !why.is_empty() {
            let action = if why.is_empty() { "Delivered" } else { "Undeliverable" };
            let status = compose::status(state, &recipient, &mail, action, why);
            state.outbox.push_back(status);
        }
    }
    Ok(())
}

fn put(state: &mut State, recipient: &GwName, mut mail: GwMail) {
    let mailbox = state.mailboxes.entry(recipient.key()).or_default();
    mail.number = mailbox.len();
    mailbox.push(mail);
}

fn mail(
    state: &State,
    directories: &Directories,
    file: &Strict,
    kind: &str,
) -> std::result::Result<GwMail, Complaint> {
    let content = |name: &str| {
        std::fs::read(directories.join("ATT_IN", name)).map_err(|error| {
            complaint(format!("Error building the GroupWise message: {name}: {error}"))
        })
    };
    let body = match file.text("MSG-FILE") {
        "" => String::new(),
        name => state.knobs.page.decode(&content(name)?),
    };
    let mut files = Vec::new();
    for block in file.blocks("ATTACH-FILE") {
        let octets = content(block.get("CURRENT-FILE"))?;
        if block.find("SIZE").is_some_and(|size| size.parse() != Ok(octets.len())) {
            return Err(complaint("Error building the GroupWise message: size of attachment"));
        }
        let name = block.find("ORIGINAL-FILE").unwrap_or(block.get("CURRENT-FILE")).to_owned();
        files.push(GwFile { name, octets });
    }
    let (from, token) = only(state, file, "FROM");
    let text = |keyword: &str| file.text(keyword).to_owned();
    let heading = |keyword| names(state, file, keyword).into_iter().map(|(name, _)| name).collect();
    Ok(GwMail {
        number: 0,
        kind: kind.to_owned(),
        id: text("MSG-ID"),
        answers: text("ORIG-MSG-ID"),
        from,
        token,
        from_text: text("FROM-TEXT"),
        all_to: heading(if file.has("ALL-TO") { "ALL-TO" } else { "TO" }),
        all_copies: heading(if file.has("ALL-TO-CC") { "ALL-TO-CC" } else { "TO-CC" }),
        to_text: text("TO-TEXT"),
        subject: text("SUBJECT"),
        body,
        files,
        priority: text("MSG-PRIORITY"),
        security: text("SECURITY"),
        status_request: text("STATUS-REQUEST"),
        begin: text("BEGIN-TIME"),
        end: text("END-TIME"),
        location: text("LOCATION"),
        sent: text("DATE-SENT"),
        opened: false,
    })
}
