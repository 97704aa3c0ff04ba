//! Mistakes in a condition.

/// Operators and what they are mistaken for, the longer ones first.
const MISTAKEN: [(&str, &str); 8] = [
    ("==", "!="),
    ("!=", "=="),
    ("<=", "<"),
    (">=", ">"),
    ("&&", "||"),
    ("||", "&&"),
    ("<", ">="),
    (">", "<="),
];

/// The condition negated, and with each of its operators mistaken for another.
pub(super) fn mistaken(condition: &str) -> Vec<(String, String)> {
    let mut made = vec![("with its condition negated".to_owned(), format!("!({condition})"))];
    let bytes = condition.as_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        let byte = bytes[at];
        match quote {
            // What is quoted holds no operators.
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {
                let found =
                    MISTAKEN.iter().find(|(operator, _)| bytes[at..].starts_with(operator.as_bytes()));
                if let Some((operator, other)) = found {
                    let end = at + operator.len();
                    let what = format!("with {other} for {operator} at {at}");
                    made.push((what, format!("{}{other}{}", &condition[..at], &condition[end..])));
                    at = end;
                    continue;
                }
            }
        }
        at += 1;
    }
    made
}

#[cfg(test)]
mod tests {
    use super::mistaken;

    #[test]
    fn operators_outside_of_quotes_are_mistaken() {
        let made: Vec<String> =
            mistaken("a <= 2 && b == 'x == \\' y'").into_iter().map(|(_, condition)| condition).collect();
        assert_eq!(
            made,
            [
                "!(a <= 2 && b == 'x == \\' y')",
                "a < 2 && b == 'x == \\' y'",
                "a <= 2 || b == 'x == \\' y'",
                "a <= 2 && b != 'x == \\' y'",
            ]
        );
    }
}
