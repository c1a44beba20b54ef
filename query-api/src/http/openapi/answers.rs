//! An example of each problem, as the service returns it. The examples of successes are beside their schemas.

use ess_service::openapi::Examples;

/// The examples of this API.
#[derive(Debug)]
pub(crate) struct Answers;

impl Examples for Answers {
    const JSON: &'static str = include_str!("answers.json");
}

#[cfg(test)]
mod tests {
    use ess_service::openapi::check_problem_examples;

    use super::*;

    #[test]
    fn every_example_is_a_problem() {
        assert_eq!(check_problem_examples(Answers::JSON), Ok(()));
    }
}
