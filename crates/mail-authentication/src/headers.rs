//! The header fields that say what was found: `Authentication-Results`
//! (RFC 8601) and `Received-SPF` (RFC 7208 section 9.1).

use crate::results::{Author, Results, Spf, SpfResult};

/// RFC 5322 section 2.1.1: lines should not be longer.
const LINE: usize = 78;
/// Octets of one value from outside that are written. A domain has 253 and a
/// mailbox 254 at most; more is an attack on whoever reads the field.
const MAX_VALUE: usize = 256;

/// A field that is folded between its words.
struct Field {
    text: String,
    column: usize,
}

impl Field {
    fn new(start: &str) -> Self {
        Self { text: start.to_owned(), column: start.len() }
    }

    /// Puts a word behind a space, or on a new line if this one is full.
    fn word(&mut self, word: &str) {
        if self.column + 1 + word.len() > LINE {
            self.line(word);
        } else {
            self.text.push(' ');
            self.text.push_str(word);
            self.column += 1 + word.len();
        }
    }

    /// Puts a word on a new line.
    fn line(&mut self, word: &str) {
        self.text.push_str("\r\n\t");
        self.text.push_str(word);
        self.column = 8 + word.len();
    }

    /// Puts a comment of several words.
    fn comment(&mut self, words: &str) {
        let comment = format!("({})", in_comment(words));
        for word in comment.split(' ') {
            self.word(word);
        }
    }

    fn end(&mut self, mark: char) {
        self.text.push(mark);
        self.column += 1;
    }

    fn finish(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}

impl Results {
    /// The `Authentication-Results` field, folded, with its final CRLF, to put
    /// in front of the message. `authserv_id` is our name in such fields;
    /// whoever writes this must take away [`forged_fields`](crate::forged_fields)
    /// first.
    pub fn authentication_results(&self, authserv_id: &str) -> String {
        let mut field = Field::new("Authentication-Results:");
        field.word(&value(authserv_id));
        self.write_results(&mut field);
        field.finish()
    }

    /// The results in a few words, for a log.
    pub fn one_line(&self) -> String {
        let dkim = self.dkim.iter().map(|dkim| format!("dkim={} {}", dkim.result, dkim.domain));
        let mut words = vec![format!("spf={}", self.spf.result)];
        words.extend(dkim);
        words.push(format!("dmarc={}", self.dmarc.result));
        words.push(format!("arc={}", self.arc.result));
        words.join(" ")
    }

    /// What stands behind the name of the field, on one line.
    pub(crate) fn results_on_one_line(&self, authserv_id: &str) -> String {
        let mut field = Field::new(&value(authserv_id));
        self.write_results(&mut field);
        field.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn write_results(&self, field: &mut Field) {
        field.end(';');
        field.line(&format!("iprev={}", self.iprev.result));
        if let Some(name) = &self.iprev.name {
            field.comment(name);
        }
        field.word(&format!("policy.iprev={}", value(&self.ip.to_string())));
        field.end(';');
        self.write_spf(field);
        self.write_dkim(field);
        if !self.arc.sets.is_empty() {
            field.end(';');
            // RFC 8617 section 10.1 has no word for a chain that is not known.
            let word =
                if self.arc.result.word() == "temperror" { "fail" } else { self.arc.result.word() };
            field.line(&format!("arc={word}"));
            if word != self.arc.result.word() {
                field.comment("no answer from the DNS");
            }
            field.comment(&format!("i={}", self.arc.sets.len()));
        }
        field.end(';');
        field.line(&format!("dmarc={}", self.dmarc.result));
        match &self.author {
            Author::Domain(domain) => {
                if self.dmarc.record.is_some() {
                    field.comment(&format!("p={}", self.dmarc.policy));
                }
                field.word(&format!("header.from={}", value(domain)));
            }
            Author::Several(_) => field.comment("authors of several domains"),
            Author::Missing => field.comment("no author"),
        }
    }

    fn write_spf(&self, field: &mut Field) {
        field.line(&format!("spf={}", self.spf_helo.result));
        field.word(&format!("smtp.helo={}", value(&self.helo)));
        field.end(';');
        field.line(&format!("spf={}", self.spf.result));
        let path = if self.reverse_path.is_empty() { &self.spf.domain } else { &self.reverse_path };
        field.word(&format!("smtp.mailfrom={}", value(path)));
    }

    fn write_dkim(&self, field: &mut Field) {
        if self.dkim.is_empty() {
            field.end(';');
            field.line("dkim=none");
        }
        for dkim in &self.dkim {
            field.end(';');
            field.line(&format!("dkim={}", dkim.result));
            if let Some(reason) = dkim.reason {
                field.comment(reason.word());
            }
            if dkim.testing {
                field.comment("the domain tests");
            }
            if dkim.domain.is_empty() {
                continue;
            }
            field.word(&format!("header.d={}", value(&dkim.domain)));
            if !dkim.identity.is_empty() {
                field.word(&format!("header.i={}", value(&dkim.identity)));
            }
            field.word(&format!("header.s={}", value(&dkim.selector)));
            field.word(&format!("header.a={}", dkim.algorithm));
            field.word(&format!("header.b={}", quoted_if_needed(&dkim.signature)));
        }
    }

    /// The `Received-SPF` field for the reverse-path, folded, with its final
    /// CRLF.
    pub fn received_spf(&self) -> String {
        let mut field = Field::new("Received-SPF:");
        field.word(self.spf.result.word());
        field.comment(&explain(&self.spf, &self.host, &self.ip.to_string()));
        let sender = if self.reverse_path.is_empty() {
            format!("postmaster@{}", self.spf.domain)
        } else {
            self.reverse_path.clone()
        };
        field.word(&format!("client-ip={};", value(&self.ip.to_string())));
        field.word(&format!("envelope-from={};", quoted(&sender)));
        field.word(&format!("helo={};", value(&self.helo)));
        field.word(&format!("receiver={};", value(&self.host)));
        field.word("identity=mailfrom");
        field.finish()
    }
}

fn explain(spf: &Spf, host: &str, ip: &str) -> String {
    let domain = clean(&spf.domain);
    match spf.result {
        SpfResult::Pass => format!("{host}: {domain} designates {ip} as permitted sender"),
        SpfResult::Fail => format!("{host}: {domain} does not designate {ip} as permitted sender"),
        SpfResult::SoftFail => format!("{host}: {domain} probably does not permit {ip}"),
        SpfResult::Neutral => format!("{host}: {domain} says nothing on {ip}"),
        SpfResult::None => format!("{host}: {domain} has no record"),
        SpfResult::TempError => format!("{host}: no answer from the DNS for {domain}"),
        SpfResult::PermError => format!("{host}: the record of {domain} cannot be understood"),
    }
}

/// Printable ASCII of a bounded length; the rest becomes `?`.
fn clean(text: &str) -> String {
    text.chars().take(MAX_VALUE).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// What may stand in a comment.
fn in_comment(text: &str) -> String {
    clean(text).chars().map(|c| if matches!(c, '(' | ')' | '\\') { '?' } else { c }).collect()
}

/// A `pvalue` (RFC 8601 section 2.2): as it is if it is a token or a mailbox of
/// tokens, else a quoted string.
fn value(text: &str) -> String {
    let text = clean(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-^_`{|}~.".contains(c);
    let bare = match text.rsplit_once('@') {
        Some((local, domain)) => local.chars().all(plain) && domain.chars().all(plain),
        None => text.chars().all(plain),
    };
    if bare && !text.is_empty() { text } else { quoted(&text) }
}

fn quoted_if_needed(text: &str) -> String {
    value(text)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in clean(text).chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
