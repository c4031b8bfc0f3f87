//! The directories of a gateway and the names of files in them.
//!
//! A gateway lives in `<domain>\WPGATE\<gateway>` (Q254353). Names are of
//! eight characters and three, as NetWare volumes without long names need.

/// Headers for GroupWise: the other side writes, the gateway deletes.
pub const API_IN: &str = "API_IN";
/// Bodies and attachments for headers in `API_IN`; written before them.
pub const ATT_IN: &str = "ATT_IN";
/// Headers from GroupWise: the gateway writes, the other side deletes.
pub const API_OUT: &str = "API_OUT";
/// Bodies and attachments for headers in `API_OUT`.
pub const ATT_OUT: &str = "ATT_OUT";
/// Files that the gateway refused, with its complaints behind `-END-`.
pub const GWPROB: &str = "GWPROB";
/// Messages that wait in the gateway.
pub const GWHOLD: &str = "GWHOLD";

/// The extension of a complete header.
pub const HEADER_EXTENSION: &str = "api";
/// The extension of a header that is being written; renamed when it is whole
/// (Q221429).
pub const UNFINISHED_EXTENSION: &str = "tmp";

/// The name of a header: `36ed2937.api`.
pub fn header_name(number: u32) -> String {
    format!("{number:08x}.{HEADER_EXTENSION}")
}

/// The name of a header while it is written.
pub fn unfinished_name(number: u32) -> String {
    format!("{number:08x}.{UNFINISHED_EXTENSION}")
}

/// The name of a body: `36ed2937.bdy`.
pub fn body_name(number: u32) -> String {
    format!("{number:08x}.bdy")
}

/// The name of an attachment. No two of a message are equal, whatever their
/// own names are (Q254540).
pub fn attachment_name(number: u32, index: u16) -> String {
    format!("{number:08x}.{:03x}", index & 0xfff)
}

/// Whether a name taken from a header may be opened: a name in its own
/// directory and nothing else.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_header_cannot_leave_its_directory() {
        for name in ["", "..", "../x", "a/b", "a\\b", "c:x", "x\0y"] {
            assert!(!is_plain_name(name), "{name:?}");
        }
        assert!(is_plain_name("Comments"));
        assert_eq!(header_name(0x36ed_2937), "36ed2937.api");
        assert_eq!(attachment_name(1, 2), "00000001.002");
    }
}
