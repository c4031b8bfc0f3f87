//! ESMTP parameters (RFC 5321 section 4.1.2).

use super::CommandError;
use std::borrow::Cow;

/// The parameters of a MAIL or RCPT command, one by one: keyword in upper
/// case, and value.
pub(super) fn parameters(
    text: &str,
) -> impl Iterator<Item = Result<(Cow<'_, str>, Option<&str>), CommandError>> {
    text.split(' ').filter(|word| !word.is_empty()).map(|word| {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        let named = keyword.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if !named || keyword.is_empty() || keyword.starts_with('-') {
            return Err(CommandError::Syntax("KEYWORD[=value]"));
        }
        if keyword.bytes().any(|c| c.is_ascii_lowercase()) {
            return Ok((keyword.to_ascii_uppercase().into(), value));
        }
        Ok((keyword.into(), value))
    })
}

/// Sets what may be set once.
pub(super) fn once<T>(
    slot: &mut Option<T>,
    name: &'static str,
    value: Option<T>,
) -> Result<(), CommandError> {
    match (slot.is_some(), value) {
        (false, Some(value)) => {
            *slot = Some(value);
            Ok(())
        }
        _ => Err(CommandError::BadParameter(name)),
    }
}

/// `xtext` that is UTF-8 without controls, or nothing.
pub(super) fn xtext(value: Option<&str>, limit: usize) -> Option<String> {
    let value = value.filter(|v| !v.is_empty() && v.len() <= limit)?;
    let text = String::from_utf8(crate::decode_xtext(value.as_bytes())?).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}
