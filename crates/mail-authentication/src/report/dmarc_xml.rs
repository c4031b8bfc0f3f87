//! The XML of an aggregate report (RFC 7489 appendix C).

use super::{DAY, DmarcDay, DmarcRow, Reporter};
use crate::error::AuthenticationError;
use crate::verdict::Override;
use quick_xml::events::BytesText;
use quick_xml::writer::Writer;
use std::io::{self, Cursor};
use std::net::IpAddr;

/// The namespace of the appendix. Only the root element is in it: the schema's
/// inner elements are in none, which `xmlns=""` says.
const NAMESPACE: &str = "http://dmarc.org/dmarc-xml/0.1";

type Xml = Writer<Cursor<Vec<u8>>>;

impl DmarcDay {
    /// The report's number: the same whenever it is made again, so that a
    /// receiver that gets it twice can tell.
    pub fn report_id(&self, reporter: &Reporter) -> String {
        format!("{}.{}@{}", self.record.domain, self.day, reporter.domain)
    }

    /// The report as XML.
    ///
    /// # Errors
    /// Only by a defect.
    pub fn xml(&self, reporter: &Reporter) -> Result<String, AuthenticationError> {
        let failed = |e: &dyn std::fmt::Display| AuthenticationError::WriteReport(e.to_string());
        let mut xml = Writer::new_with_indent(Cursor::new(Vec::new()), b' ', 2);
        xml.create_element("feedback")
            .with_attribute(("xmlns", NAMESPACE))
            .write_inner_content(|xml| {
                text_outside(xml, "version", "1.0")?;
                self.metadata(xml, reporter)?;
                self.policy(xml)?;
                self.rows.iter().try_for_each(|(row, count)| record(xml, row, *count))
            })
            .map_err(|e| failed(&e))?;
        let body = String::from_utf8(xml.into_inner().into_inner()).map_err(|e| failed(&e))?;
        Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n"))
    }

    fn metadata(&self, xml: &mut Xml, reporter: &Reporter) -> io::Result<()> {
        let begin = self.day.saturating_mul(DAY);
        outside(xml, "report_metadata", |xml| {
            text(xml, "org_name", &reporter.organisation)?;
            text(xml, "email", &reporter.address)?;
            if let Some(contact) = &reporter.contact {
                text(xml, "extra_contact_info", contact)?;
            }
            text(xml, "report_id", &self.report_id(reporter))?;
            inside(xml, "date_range", |xml| {
                text(xml, "begin", &begin.to_string())?;
                text(xml, "end", &begin.saturating_add(DAY - 1).to_string())
            })?;
            if self.left_out > 0 {
                let words = format!("{} further messages are not in the rows", self.left_out);
                text(xml, "error", &words)?;
            }
            Ok(())
        })
    }

    fn policy(&self, xml: &mut Xml) -> io::Result<()> {
        let record = &self.record;
        let mode = |strict: bool| if strict { "s" } else { "r" };
        outside(xml, "policy_published", |xml| {
            text(xml, "domain", &record.domain)?;
            text(xml, "adkim", mode(record.strict_dkim))?;
            text(xml, "aspf", mode(record.strict_spf))?;
            text(xml, "p", record.p.word())?;
            text(xml, "sp", record.sp.word())?;
            text(xml, "pct", &record.pct.to_string())?;
            text(xml, "fo", &record.fo)
        })
    }
}

fn record(xml: &mut Xml, row: &DmarcRow, count: u64) -> io::Result<()> {
    let word = |pass: bool| if pass { "pass" } else { "fail" };
    outside(xml, "record", |xml| {
        inside(xml, "row", |xml| {
            text(xml, "source_ip", &address(row.ip))?;
            text(xml, "count", &count.to_string())?;
            inside(xml, "policy_evaluated", |xml| {
                text(xml, "disposition", row.applied.disposition.word())?;
                text(xml, "dkim", word(row.dkim_aligned))?;
                text(xml, "spf", word(row.spf_aligned))?;
                let Some(reason) = row.applied.reason else { return Ok(()) };
                let kind = match reason {
                    Override::TrustedForwarder => "trusted_forwarder",
                    Override::LocalPolicy => "local_policy",
                };
                inside(xml, "reason", |xml| text(xml, "type", kind))
            })
        })?;
        inside(xml, "identifiers", |xml| {
            text(xml, "envelope_from", &row.envelope_from)?;
            text(xml, "header_from", &row.header_from)
        })?;
        inside(xml, "auth_results", |xml| {
            for (domain, selector, result) in &row.dkim {
                inside(xml, "dkim", |xml| {
                    text(xml, "domain", domain)?;
                    text(xml, "selector", selector)?;
                    text(xml, "result", result.word())
                })?;
            }
            inside(xml, "spf", |xml| {
                text(xml, "domain", &row.spf.0)?;
                text(xml, "scope", if row.spf.1 { "helo" } else { "mfrom" })?;
                text(xml, "result", row.spf_result.word())
            })
        })
    })
}

/// The schema's pattern wants all eight groups of an IPv6 address.
fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|group| format!("{group:x}")).join(":"),
    }
}

fn outside(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).with_attribute(("xmlns", "")).write_inner_content(content).map(|_| ())
}

fn inside(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content).map(|_| ())
}

fn text_outside(xml: &mut Xml, name: &str, words: &str) -> io::Result<()> {
    let element = xml.create_element(name).with_attribute(("xmlns", ""));
    element.write_text_content(BytesText::new(words)).map(|_| ())
}

/// What comes from messages may hold characters that XML cannot have.
fn text(xml: &mut Xml, name: &str, words: &str) -> io::Result<()> {
    let words: String = words.chars().filter(|c| !c.is_control()).collect();
    xml.create_element(name).write_text_content(BytesText::new(&words)).map(|_| ())
}
