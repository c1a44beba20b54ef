//! One example of each answer, as the service gave it.

use ess_service::openapi::Examples;

/// The examples of this API.
#[derive(Debug)]
pub(crate) struct Answers;

impl Examples for Answers {
    const TEXT: &'static str = include_str!("answers.json");
}

#[cfg(test)]
mod tests {
    use ess_service::openapi::check_problems;

    use super::*;

    #[test]
    fn every_example_of_a_problem_is_one() {
        assert_eq!(check_problems(Answers::TEXT), Ok(()));
    }
}
