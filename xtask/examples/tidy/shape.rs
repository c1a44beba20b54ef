//! Size, opening and name of a Rust file.

use crate::Finding;
use crate::files::SourceFile;

const MAX_LINES: usize = 300;

/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 0] = [];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(name) = file
        .path
        .split(['/', '.'])
        .find(|part| EMPTY_NAMES.contains(part))
    {
        findings.push(Finding::at(
            &file.path,
            1,
            format!("\"{name}\" names no concept: name the file for what it holds"),
        ));
    }
    if !file.is_rust() {
        return findings;
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES && !LONGER.iter().any(|(path, _)| *path == file.path) {
        let advice = format!(
            "{lines} lines, the limit is {MAX_LINES}: split it at a concept, as a reader would"
        );
        findings.push(Finding::at(&file.path, MAX_LINES + 1, advice));
    }
    if !file.text.starts_with("//!") {
        let advice =
            "open the file with 2-3 lines of //! that say what it is for and what it must never do";
        findings.push(Finding::at(&file.path, 1, advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|finding| finding.place)
            .collect()
    }

    #[test]
    fn a_file_has_an_opening_a_bound_and_a_name() {
        let long = "//! Opens.\n".to_owned() + &"\n".repeat(300);
        assert_eq!(
            places("a/src/fold.rs", "//! Folds.\n"),
            Vec::<String>::new()
        );
        assert_eq!(places("a/src/fold.rs", "use x;\n"), ["a/src/fold.rs:1"]);
        assert_eq!(places("a/src/fold.rs", &long), ["a/src/fold.rs:301"]);
        assert_eq!(
            places("a/src/utils/fold.rs", "//! Folds.\n"),
            ["a/src/utils/fold.rs:1"]
        );
    }
}
