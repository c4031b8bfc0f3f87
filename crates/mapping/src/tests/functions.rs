use super::{refusal, value, value_with};

#[test]
fn and_joins_only_what_is_there() {
    assert_eq!(value(r#"AND("A","B")"#), "AB");
    assert_eq!(value(r#"AND("","B")"#), "");
    assert_eq!(value(r#"AND("A","")"#), "");
}

#[test]
fn isequal_does_not_see_case() {
    assert_eq!(value(r#"ISEQUAL("remote","REMOTE","R","L")"#), "R");
    assert_eq!(value(r#"ISEQUAL("remote","local","R","L")"#), "L");
    assert_eq!(value(r#"ISEQUAL("ÄRGER","ärger","R","L")"#), "R");
}

#[test]
fn left_and_right_fill_up() {
    assert_eq!(value(r#"LEFT("416-862-7148","3")"#), "416");
    assert_eq!(value(r#"RIGHT("416-862-7148","7")"#), "62-7148");
    assert_eq!(value(r#"RIGHT("node","5","@")"#), "@node");
    assert_eq!(value(r#"LEFT("node","5","@")"#), "node@");
    assert_eq!(value(r#"LEFT("node",6)"#), "node  ");
    assert_eq!(value(r#"LEFT("",1)"#), " ");
    assert_eq!(value(r#"RIGHT("node",0)"#), "");
}

#[test]
fn substr_takes_from_a_position() {
    let title = |rest: &str| value(&format!(r#"SUBSTR("Vice-President",{rest})"#));
    assert_eq!(title(r#""6""#), "President");
    assert_eq!(title(r#""2","3""#), "ice");
    assert_eq!(title(r#""7","9","s""#), "residents");
    assert_eq!(title(r#""11","4""#), "dent");
    assert_eq!(title("40"), "");
    assert_eq!(title("0"), "");
    assert_eq!(title("13,4"), "nt  ");
}

#[test]
fn strip_deletes_a_mark_and_one_side_of_it() {
    let names = "Denise Graham/Sales/Acme Corp;Denise Graham;Graham";
    let strip = |rest: &str| value_with(&format!("STRIP(A,{rest})"), [names, "", ""]);
    assert_eq!(strip(r#"";","L","R""#), "Denise Graham/Sales/Acme Corp");
    assert_eq!(strip(r#"";","L""#), "Denise Graham;Graham");
    assert_eq!(strip(r#"";""#), "Denise Graham/Sales/Acme Corp;Denise Graham");
    assert_eq!(strip(r#"";","R","L""#), "Graham");
    assert_eq!(strip(r##""#","L","R""##), names);
    assert_eq!(strip(r#""","L","R""#), names);
}

#[test]
fn case_is_changed() {
    assert_eq!(value(r#"PROPER("o'malley")"#), "O'Malley");
    assert_eq!(value(r#"PROPER("MARY-ANN VAN DER berg 3RD")"#), "Mary-Ann Van Der Berg 3rd");
    assert_eq!(value(r#"LOWER(UPPER("grüße"))"#), "grüsse");
    assert_eq!(value(r#"UPPER(LOWER("Jane Doe"))"#), "JANE DOE");
}

#[test]
fn pos_counts_characters_from_one() {
    assert_eq!(value(r#"POS("Title: President",":")"#), "6");
    assert_eq!(value(r#"POS("Größe: 3",":")"#), "6");
    assert_eq!(value(r#"POS("Title","x")"#), "0");
    assert_eq!(value(r#"POS("Title","")"#), "0");
}

#[test]
fn word_takes_words() {
    assert_eq!(value(r#"WORD("one of a kind","3","2")"#), "a kind");
    assert_eq!(value(r#"WORD("one of a kind","1","2")"#), "one of");
    assert_eq!(value(r#"WORD("one of a kind",2)"#), "of");
    assert_eq!(value(r#"WORD("one of a kind",5)"#), "");
    assert_eq!(value(r#"WORD("one  of   a kind",1,9)"#), "one of a kind");
}

#[test]
fn replace_maps_characters() {
    assert_eq!(value(r#"REPLACE("J. Doe","."," ")"#), "J  Doe");
    assert_eq!(value(r#"REPLACE("J. Doe",". ")"#), "JDoe");
    assert_eq!(value(r#"REPLACE("abc","abc","xy")"#), "xy");
}

#[test]
fn trim_takes_blanks_away() {
    assert_eq!(value(r#""<" TRIM("  a  ") ">""#), "<a>");
    assert_eq!(value(r#""<" TRIM("  a  ","L") ">""#), "<a  >");
    assert_eq!(value(r#""<" TRIM("  a  ","R") ">""#), "<  a>");
    assert_eq!(value(r#""<" TRIM("  a  ","b") ">""#), "<a>");
}

#[test]
fn parts_of_names() {
    assert_eq!(value(r#"NAMEF("Nancy Mary Lee")"#), "Nancy");
    assert_eq!(value(r#"NAMEM("Nancy Mary Lee")"#), "Mary ");
    assert_eq!(value(r#"NAMEL("Nancy Mary Lee")"#), "Lee");
    assert_eq!(value(r#"NAMEF("Lee, Nancy Mary Ann")"#), "Nancy");
    assert_eq!(value(r#"NAMEM("Lee, Nancy Mary Ann","2")"#), "Mary Ann");
    assert_eq!(value(r#"NAMEL("van der Lee, Nancy")"#), "van der Lee");
    assert_eq!(value(r#"NAMEL("Lee Nancy","2")"#), "Lee");
    assert_eq!(value(r#"NAMEF("Madonna") NAMEM("Madonna") NAMEL("Madonna")"#), "MadonnaMadonna");
    assert_eq!(value(r#"NAMEF("Madonna","2") NAMEL("Madonna","2")"#), "MadonnaMadonna");
    assert_eq!(value(r#"NAMEF("") NAMEM("") NAMEL("")"#), "");
}

/// Q181500: the original crashed.
#[test]
fn a_middle_name_needs_no_first_one() {
    assert_eq!(value(r#"NAMEM("Doe,  , Q")"#), "Q");
    assert_eq!(value(r#"NAMEF("Doe,  , Q")"#), "");
    assert_eq!(value(r#"NAMEL("Doe,  , Q")"#), "Doe");
}

#[test]
fn x500_reads_three_notations() {
    let exchange = "/o=Acme/ou=HQ/cn=Recipients/cn=jane";
    let of = |name, rest: &str| value_with(&format!("X500(A,{rest})"), [name, "", ""]);
    assert_eq!(of(exchange, r#""CN",2"#), "jane");
    assert_eq!(of(exchange, r#""cn""#), "Recipients");
    assert_eq!(of(exchange, r#""OU""#), "HQ");
    assert_eq!(of(exchange, r#""C""#), "");
    let canonical = "CN=Jane Doe/OU=Sales/OU=East/O=Acme/C=US";
    assert_eq!(of(canonical, r#""CN""#), "Jane Doe");
    assert_eq!(of(canonical, r#""OU",2"#), "East");
    assert_eq!(of(canonical, r#""C""#), "US");
    let abbreviated = "Jane Doe/Sales/East/Acme/US";
    assert_eq!(of(abbreviated, r#""CN""#), "Jane Doe");
    assert_eq!(of(abbreviated, r#""OU",2"#), "East");
    assert_eq!(of(abbreviated, r#""O""#), "Acme");
    assert_eq!(of(abbreviated, r#""C""#), "US");
    assert_eq!(of("Jane/Acme", r#""O""#), "Acme");
    // A text without hierarchy (Q183275).
    assert_eq!(of("Jane Doe", r#""CN""#), "Jane Doe");
    assert_eq!(of("Jane Doe", r#""O""#), "");
    assert_eq!(of("", r#""CN""#), "");
    assert_eq!(of("///=/;=", r#""OU",0"#), "");
}

#[test]
fn settings_are_read_from_the_own_section_first() {
    assert_eq!(value(r#"CFGPARM("executable")"#), "lsdxamex.exe");
    assert_eq!(value(r#"cfgparm("EXECUTABLE","Other")"#), "other.exe");
    assert_eq!(value(r#"CFGPARM("nothing") "|" CFGPARM("x","y")"#), "|");
}

#[test]
fn terms_are_joined_and_names_have_no_case() {
    assert_eq!(value_with(r#"a "-" B 7 'say "hi"'"#, ["x", "y", ""]), "x-y7say \"hi\"");
    assert_eq!(value_with("Upper( a ) ; what is said here is not read", ["x", "", ""]), "X");
    assert_eq!(value(r#""a;b" ; not "read"#), "a;b");
}

#[test]
fn what_turns_out_to_be_no_number_counts_as_none() {
    assert_eq!(value_with(r#"LEFT("abc",A)"#, ["two", "", ""]), "");
    assert_eq!(value_with(r#"LEFT("abc",A)"#, ["2", "", ""]), "ab");
    assert_eq!(value_with(r#"SUBSTR(A,POS(A,"@"))"#, ["nobody", "", ""]), "");
}

#[test]
fn mistakes_are_told_with_their_place_and_what_to_do() {
    for (rule, told) in [
        ("X = \"abc", "line 1, column 5: the text that begins here with \" has no end; add \""),
        ("X", "line 1, column 2: expected = behind the tag, found the end of the line"),
        ("= A", "line 1, column 1: expected a tag and =, found ="),
        ("X = A )", "line 1, column 7: expected a text in quotes, a tag, a number or a function"),
        ("X = LEFT(A", "line 1, column 11: expected ) to end the call, found the end"),
        ("X = LEFT(A,)", "line 1, column 12: expected an argument (write \"\" for an empty one)"),
        ("X = LEFT(A)", "line 1, column 5: LEFT takes 2 to 3 arguments, not 1"),
        ("X = AND(A)", "column 5: AND takes 2 arguments, not 1"),
        ("X = UPPER(A,A)", "column 5: UPPER takes 1 argument, not 2"),
        ("X = LFET(A,1)", "line 1, column 5: there is no function LFET; did you mean LEFT?"),
        ("X = LEFT(A,\"x\")", "argument 2 of LEFT is 'x'; write a number, as 5 or \"5\""),
        ("X = TRIM(A,\"Q\")", "argument 2 of TRIM is 'Q'; write \"L\", \"R\" or \"B\""),
        ("X = LEFT(A,2,\"ab\")", "argument 3 of LEFT is 'ab'; write one character"),
        ("X = X500(A,\"DC\")", "argument 2 of X500 is 'DC'; write \"CN\", \"OU\", \"O\" or \"C\""),
        ("X = A + A", "line 1, column 7: expected a text in quotes"),
        (
            "X = FIRSTNAM",
            "column 5: the source schema has no tag FIRSTNAM; did you mean FIRSTNAME?",
        ),
        ("Y = A\nX = A", "line 1, column 1: the target schema has no tag Y"),
        ("X = A\nx = A", "line 2, column 1: X was already given in line 1; remove one"),
        ("X = \"\" \" \"", "line 1, column 1: the rule gives X nothing but blanks for every"),
        ("X = LEFT(A,0)", "nothing but blanks"),
        ("X = TRIM(AND(\"\",A))", "nothing but blanks"),
        ("X = ISEQUAL(A,\"\",\" \",\"\")", "nothing but blanks"),
        ("A = A", "there is no rule for X, which every entry needs; add a line 'X = ...'"),
        ("X =", "there is no rule for X"),
    ] {
        let found = refusal(rule);
        assert!(found.contains(told), "{rule}\n  told: {found}\n  expected: {told}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| format!("X = {}A{}", "UPPER(".repeat(depth), ")".repeat(depth));
    assert!(refusal(&nested(33)).contains("nested deeper than 32"));
    assert_eq!(value(&nested(32)["X = ".len()..]), "");
}

#[test]
fn long_rules_and_results_are_no_trouble() {
    // The original stopped at 2,048 characters.
    let parts = "A ".repeat(3_000);
    assert_eq!(value_with(&parts, ["xyz", "", ""]).len(), 9_000);
    assert!(refusal(&format!("X = {}", "A ".repeat(9_000))).contains("more than 16384 octets"));
    assert_eq!(value(r#"LEFT("",999999999999999999999999)"#), "");
}
