//! Words of unfinished work. The words themselves stand only here.

use crate::Finding;
use crate::files::SourceFile;

const WORDS: [&str; 6] = [
    "todo",
    "fixme",
    "xxx",
    "hack",
    "unimplemented",
    "placeholder",
];
const PHRASE: &str = "for now";

/// Where such a word means something else: path, and why.
const ALLOWED: [(&str, &str); 3] = [
    ("xtask/examples/tidy/unfinished.rs", "the list itself"),
    ("Cargo.toml", "names of lints"),
    ("Cargo.lock", "names of crates"),
];

pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if ALLOWED.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let advice = |word: &str| format!("\"{word}\": finish it, or say what is the case instead");
    file.lines()
        .filter_map(|(number, line)| {
            Some(Finding::at(&file.path, number, advice(unfinished(line)?)))
        })
        .collect()
}

fn unfinished(line: &str) -> Option<&'static str> {
    let line = line.to_lowercase();
    let mut words = line.split(|c: char| !c.is_alphanumeric());
    let word = words.find_map(|word| WORDS.into_iter().find(|unfinished| *unfinished == word));
    word.or_else(|| has_phrase(&line).then_some(PHRASE))
}

/// Whether the phrase stands there as words of their own, however they are spaced.
fn has_phrase(line: &str) -> bool {
    let spaced = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let apart = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
    spaced.match_indices(PHRASE).any(|(at, phrase)| {
        apart(spaced[..at].chars().next_back()) && apart(spaced[at + phrase.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_found_and_parts_of_words_are_not() {
        assert_eq!(unfinished("    // TODO: later"), Some("todo"));
        assert_eq!(unfinished("x = unimplemented!()"), Some("unimplemented"));
        assert_eq!(unfinished("Works for  now."), Some("for now"));
        assert_eq!(
            unfinished("hackathon, todos, waits for nowhere, waited for: now"),
            None
        );
    }
}
