//! Words that do not say which thing is meant, each with what to write instead. `EVERYWHERE` holds in code, documents and
//! OpenAPI texts alike; `IN_NAMES` holds for identifiers, where a word of everyday English stands for a technical term.

use proc_macro2::{TokenStream, TokenTree};

use crate::Finding;
use crate::files::SourceFile;

/// Words, and what to write instead.
type Entry = (&'static [&'static str], &'static str);

const EVERYWHERE: [Entry; 8] = [
    (
        &["told", "tell", "tells", "telling", "untold"],
        "reported, returned, sent, written, documented, distinguishes",
    ),
    (
        &["ask", "asked", "asks"],
        "requested, queried, called; or name the query, the request, the caller",
    ),
    (
        &["whoever", "whatever"],
        "a client that, callers that; any, every",
    ),
    (
        &["nobody", "anybody"],
        "no client, no caller, no one; a client",
    ),
    (&["wish", "wishes", "wished"], "options, parameters; wants"),
    (&["patience"], "deadline, timeout"),
    (&["hinder", "hinders", "hindered"], "blocks, blocked"),
    (&["amid", "amidst"], "during"),
];

const IN_NAMES: [Entry; 10] = [
    (&["most"], "max"),
    (&["kept"], "cached, stored, retained"),
    (
        &["standing", "course"],
        "status, progress, target, position",
    ),
    (&["deserted"], "abandoned"),
    (&["vitals"], "status"),
    (&["spares", "spare"], "pool"),
    (&["keeper"], "worker; Keeper is ClickHouse Keeper"),
    (&["crowd", "crowded"], "connections, concurrent, limit"),
    (
        &["theirs", "ours"],
        "name the owner: caller, client, service",
    ),
    (&["blow", "rage"], "fault, inject"),
];

/// Files in which these words stand for themselves, each with the reason.
const ALLOWED: [(&str, &str); 2] = [
    ("xtask/examples/tidy/words.rs", "the list itself"),
    ("CHANGELOG.md", "quotes the subjects of commits"),
];

/// Kinds of files that people read.
const READ: [&str; 12] = [
    "rs", "md", "toml", "yml", "yaml", "json", "sql", "sh", "py", "js", "mjs", "html",
];

pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let extension = file.path.rsplit('.').next().unwrap_or_default();
    if !READ.contains(&extension) || ALLOWED.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let in_text = file.lines().flat_map(|(number, line)| {
        let words = words(line).into_iter();
        words.filter_map(move |word| Some((number, instead_of(&word, &EVERYWHERE)?, word)))
    });
    let findings = in_text.chain(names(file));
    findings
        .map(|(number, instead, word)| {
            let advice = format!("\"{word}\" does not say which: write {instead}");
            Finding::at(&file.path, number, advice)
        })
        .collect()
}

/// What stands in the way in the identifiers of code that is no test.
fn names(file: &SourceFile) -> Vec<(usize, &'static str, String)> {
    let tests_from = file.tests_from().unwrap_or(usize::MAX);
    let tokens = file
        .is_rust()
        .then(|| file.text.parse::<TokenStream>().ok());
    let mut names = Vec::new();
    identifiers(tokens.flatten().unwrap_or_default(), &mut names);
    names.retain(|(number, _)| *number < tests_from);
    let found = names.into_iter().filter_map(|(number, name)| {
        let word = words(&name)
            .into_iter()
            .find(|word| instead_of(word, &IN_NAMES).is_some())?;
        Some((number, instead_of(&word, &IN_NAMES)?, name))
    });
    found.collect()
}

fn identifiers(tokens: TokenStream, names: &mut Vec<(usize, String)>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => names.push((ident.span().start().line, ident.to_string())),
            TokenTree::Group(group) => identifiers(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn instead_of(word: &str, entries: &[Entry]) -> Option<&'static str> {
    let entry = entries.iter().find(|(words, _)| words.contains(&word));
    entry.map(|(_, instead)| *instead)
}

/// The words of a text in lower case; `snake_case` and `CamelCase` are several.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in text.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphabetic()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let findings = check(&file).into_iter();
        findings.map(|finding| finding.place).collect()
    }

    #[test]
    fn a_word_is_found_in_prose_and_within_names() {
        let word = EVERYWHERE[0].0[0];
        assert_eq!(lines("a.md", &format!("One.\nIt is {word}.")), ["a.md:2"]);
        assert_eq!(
            lines("a/src/b.rs", &format!("fn is_{word}() {{}}")),
            ["a/src/b.rs:1"]
        );
        assert_eq!(
            lines("a.md", &format!("x{word} {word}er")),
            Vec::<String>::new()
        );
        assert_eq!(lines("a.png", word), Vec::<String>::new());
    }

    #[test]
    fn everyday_words_are_refused_in_names_only_and_not_in_tests() {
        assert_eq!(
            lines("a/src/b.rs", "/// At most 4.\nconst MOST_ROWS: u8 = 4;"),
            ["a/src/b.rs:2"]
        );
        assert_eq!(lines("a/src/b.rs", "struct AtMost;"), ["a/src/b.rs:1"]);
        assert_eq!(
            lines(
                "a/src/b.rs",
                "#[cfg(test)]\nmod tests {\n    fn at_most_four() {}\n}"
            ),
            Vec::<String>::new()
        );
    }
}
