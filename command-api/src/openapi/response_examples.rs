//! One example of each response, as sent by the service.

use ess_service::openapi::Examples;

/// The examples of this API.
#[derive(Debug)]
pub(crate) struct ResponseExamples;

impl Examples for ResponseExamples {
    const JSON: &'static str = include_str!("response_examples.json");
}

#[cfg(test)]
mod tests {
    use ess_service::openapi::check_problem_examples;

    use super::*;

    #[test]
    fn every_example_of_a_problem_is_valid() {
        assert_eq!(check_problem_examples(ResponseExamples::JSON), Ok(()));
    }
}
