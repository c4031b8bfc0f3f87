//! What text may be in the model, and so in the files.

/// Text as the model has it: controls and line ends are blanks, and there are
/// no blanks at its ends. A line feed behind a blank is where a value was
/// continued and stands for nothing more.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for character in text.trim_matches(is_blank).chars() {
        match character {
            '\n' if tidy.ends_with(' ') => {}
            c if is_blank(c) => tidy.push(' '),
            c => tidy.push(c),
        }
    }
    tidy
}

fn is_blank(character: char) -> bool {
    character == ' ' || character.is_control()
}

/// Whether [`tidy`] would leave the text as it is.
pub(crate) fn is_tidy(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.trim_matches(' ').len() == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_continued_text_has_one_blank_where_it_was_continued() {
        assert_eq!(tidy("one \ntwo\nthree"), "one two three");
        assert_eq!(tidy(" \t x\u{7}y \r\n"), "x y");
    }

    proptest! {
        #[test]
        fn tidying_twice_changes_nothing(text in "\\PC{0,30}|[ \\n\\t\\x80-\\x9fa]{0,10}") {
            let once = tidy(&text);
            prop_assert_eq!(tidy(&once), once.clone());
            prop_assert!(is_tidy(&once));
        }
    }
}
