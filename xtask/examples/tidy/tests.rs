//! Tests wait for a condition with a deadline, never for a time to pass.

use crate::Finding;
use crate::files::SourceFile;

pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let Some(tests_from) = file.tests_from().filter(|_| file.is_rust()) else {
        return Vec::new();
    };
    let lines: Vec<_> = file.lines().collect();
    let sleeps = lines
        .iter()
        .filter(|(number, line)| *number >= tests_from && sleeps(line));
    sleeps
        .filter(|(number, _)| !polls_under_a_deadline(&lines[..*number]))
        .map(|(number, _)| {
            let advice =
                "wait for the condition itself, in a function that polls it under a deadline";
            Finding::at(&file.path, *number, advice)
        })
        .collect()
}

fn sleeps(line: &str) -> bool {
    line.contains(concat!("sleep", "(")) && !line.trim_start().starts_with("//")
}

/// Whether the function that the last line stands in speaks of a deadline before it sleeps.
fn polls_under_a_deadline(lines: &[(usize, &str)]) -> bool {
    let function = lines
        .iter()
        .rposition(|(_, line)| line.contains("fn "))
        .unwrap_or_default();
    lines[function..]
        .iter()
        .any(|(_, line)| line.contains("deadline"))
}

#[cfg(test)]
mod of_this_file {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&SourceFile {
            path: "e2e/tests/a.rs".to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn only_a_poll_under_a_deadline_may_pause() {
        let pause = concat!("sleep", "(TICK);");
        assert_eq!(findings(&format!("fn a() {{\n    {pause}\n}}")), 1);
        assert_eq!(
            findings(&format!("fn a(deadline: Instant) {{\n    {pause}\n}}")),
            0
        );
        assert_eq!(
            findings(&format!(
                "fn a(deadline: Instant) {{\n}}\nfn b() {{\n    {pause}\n}}"
            )),
            1
        );
    }
}
