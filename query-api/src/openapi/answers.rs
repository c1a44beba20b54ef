//! One example of each problem, as the service told it; those of successes stand beside their schemas.

use std::sync::LazyLock;

use ess_service::openapi::Examples;
use serde_json::Value;

static ANSWERS: LazyLock<Value> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the text is a part of this program, and tested"
    )]
    serde_json::from_str(include_str!("answers.json")).expect("answers.json")
});

/// The examples of this API.
#[derive(Debug)]
pub(crate) struct Answers;

impl Examples for Answers {
    fn examples() -> &'static Value {
        &ANSWERS
    }
}

#[cfg(test)]
mod tests {
    use ess_service::openapi::check_problems;

    use super::*;

    #[test]
    fn every_example_of_a_problem_is_one() {
        assert_eq!(check_problems(&ANSWERS), Ok(()));
    }
}
