//! What a content is by its first octets.

/// OLE compound files: old Office documents, `.msi`, `.msg`.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The type; `None` if the octets tell nothing (texts, for example).
pub(super) fn of(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(OLE) {
        return Some("application/x-ole-storage");
    }
    infer::get(content).map(|found| found.mime_type())
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_are_told_by_content() {
        let mut program = b"MZ".to_vec();
        program.resize(128, 0);
        assert_eq!(super::of(&program), Some("application/vnd.microsoft.portable-executable"));
        assert_eq!(
            super::of(b"\x7fELF\x02\x01\x01................................................"),
            Some("application/x-executable")
        );
        assert_eq!(super::of(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(
            super::of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            Some("application/x-ole-storage")
        );
        assert_eq!(super::of(b"hello"), None);
    }
}
