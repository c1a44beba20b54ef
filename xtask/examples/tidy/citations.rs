//! What documents cite of the code must exist: files by the end of their path, tests by their name.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;

/// Documents whose citations are checked.
const DOCUMENTS: [&str; 2] = ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Names shorter than this are fields, commands and the like.
const MIN_TEST_NAME_CHARS: usize = 24;

pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let functions = &functions(files);
    let documents = files
        .iter()
        .filter(|file| DOCUMENTS.contains(&file.path.as_str()));
    documents
        .flat_map(|document| {
            document.lines().flat_map(move |(number, line)| {
                let missing = line.split('`').skip(1).step_by(2);
                let missing = missing.filter_map(move |cited| missing_of(cited, files, functions));
                missing.map(move |advice| Finding::at(&document.path, number, advice))
            })
        })
        .collect()
}

fn functions(files: &[SourceFile]) -> BTreeSet<&str> {
    let lines = files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(|file| file.text.lines());
    lines
        .filter_map(|line| line.split_once("fn "))
        .map(|(_, name)| name.split(['(', '<']).next().unwrap_or_default())
        .collect()
}

fn missing_of(cited: &str, files: &[SourceFile], functions: &BTreeSet<&str>) -> Option<String> {
    if cited.strip_suffix(".rs").is_some() {
        let tail = format!("/{cited}");
        let exists = files
            .iter()
            .any(|file| file.path == cited || file.path.ends_with(&tail));
        return (!exists).then(|| format!("cites {cited}, which does not exist"));
    }
    let is_name = cited.len() >= MIN_TEST_NAME_CHARS
        && cited.contains('_')
        && cited
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (is_name && !functions.contains(cited))
        .then(|| format!("cites the test {cited}, which does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cited_file_or_test_that_does_not_exist_is_named() {
        let file = |path: &str, text: &str| SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let files = [
            file(
                "a/src/fold.rs",
                "    fn order_and_repetition_do_not_matter() {}",
            ),
            file(
                "docs/ARCHITECTURE.md",
                "`fold.rs` and `order_and_repetition_do_not_matter`\n`gone.rs`, `src/fold.rs`\n`order_and_batching_do_not_matter` `event_id`",
            ),
        ];
        let places: Vec<_> = check(&files)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, ["docs/ARCHITECTURE.md:2", "docs/ARCHITECTURE.md:3"]);
    }
}
