//! The one way of every operation that the cache serves: parse → wait → look up or query → respond. Operations add their
//! parameters, their question and their document; none of them repeats these steps.

use std::sync::Arc;

use ess_schema::Position;
use ess_service::problem::Problem;
use poem::{FromRequest as _, Request, Response, web::Accept};
use poem_openapi::registry::{MetaMediaType, MetaOperationParam, MetaResponses, Registry};

use super::{
    answer,
    arguments::{AFTER, Arguments, GivenParameters, Location, header},
    document::{self, DocumentedProblem, Success},
    operation::{Entry, Operation},
    parameter_errors::ParameterErrors,
    parameters::After,
    reader::Reader,
};
use crate::question::{Format, Question};

/// An operation that answers a question through the cache.
pub(super) trait CachedRead: Send + Sync + 'static {
    /// Its texts.
    const ENTRY: Entry;
    /// Its arguments, beside `after` and `If-None-Match`.
    type Arguments: Arguments;
    /// The formats that it offers, the default first.
    const FORMATS: &'static [Format];
    /// The success in words.
    const SUCCESS: &'static str;
    /// Whether there can be a next page.
    const PAGED: bool = false;
    /// Whether a caller can request `Ess-Totals`.
    const TOTALS: bool = false;
    /// Its problems.
    const PROBLEMS: &'static [DocumentedProblem];

    /// The bodies of the success.
    fn bodies() -> Vec<MetaMediaType>;

    /// Registers the schemas to which the bodies refer.
    fn register(registry: &mut Registry);

    /// The question, if the arguments are valid; otherwise why not is in `errors`.
    fn question(
        arguments: Self::Arguments,
        format: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question>;
}

impl<R: CachedRead> Operation for R {
    const ENTRY: Entry = R::ENTRY;

    fn parameters() -> Vec<MetaOperationParam> {
        parameters::<R::Arguments>()
    }

    fn responses() -> MetaResponses {
        let success = Success {
            description: R::SUCCESS,
            bodies: R::bodies(),
            is_negotiated: R::FORMATS.len() > 1,
            is_paged: R::PAGED,
            has_totals: R::TOTALS,
        };
        document::responses(success, R::PROBLEMS)
    }

    fn register(registry: &mut Registry) {
        R::register(registry);
        document::register_problem(registry);
    }

    async fn respond(reader: &Arc<Reader>, request: &Request) -> Result<Response, Problem> {
        let format = Format::of(&accept(request).await, R::FORMATS)?;
        let question = |arguments, errors: &mut _| R::question(arguments, format, errors);
        let (question, after) = parse(request, question)?;
        let answer = reader.answer(question, &after).await?;
        Ok(answer::respond(
            request,
            &answer,
            format,
            R::FORMATS.len() > 1,
        ))
    }
}

/// The parameters of an operation with these arguments.
pub(super) fn parameters<A: Arguments>() -> Vec<MetaOperationParam> {
    let mut parameters = A::document();
    parameters.push(Location::Query.document::<After>(AFTER.0, AFTER.1));
    parameters.push(header(
        "If-None-Match",
        "Entity tags of the answers that the caller holds.",
    ));
    parameters
}

/// The `Accept` header.
pub(super) async fn accept(request: &Request) -> Accept {
    let accept = Accept::from_request_without_body(request).await;
    accept.unwrap_or_else(|_| Accept(Vec::new()))
}

/// Reads the arguments, makes a question of them, and reads the positions for which the caller waits.
///
/// # Errors
/// 422 that names every invalid parameter.
pub(super) fn parse<A: Arguments, Q>(
    request: &Request,
    question: impl FnOnce(A, &mut ParameterErrors) -> Option<Q>,
) -> Result<(Q, Vec<Position>), Problem> {
    let query = A::FIELDS
        .iter()
        .filter(|(location, _)| *location != Location::Path)
        .map(|(_, name)| *name);
    let known: Vec<_> = query.chain([AFTER.0]).collect();
    let mut errors = ParameterErrors::default();
    let given = GivenParameters::new(request, &known, &mut errors);
    let arguments = A::read(&given, &mut errors);
    let After(after) = given.after(&mut errors);
    let question = question(arguments, &mut errors);
    Ok((errors.into_result(question)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{
            arguments::arguments,
            parameters::{Limit, Offset, RankedBy},
        },
        question::Metric,
    };

    arguments! {
        /// Arguments of a test.
        pub(crate) struct Paging {
            /// One.
            Query limit: Limit,
            /// Another.
            Query offset: Offset,
            /// A required one.
            Required by: RankedBy,
        }
    }

    fn problem(query: &str) -> Problem {
        let uri = format!("/x?{query}").parse().unwrap();
        let request = Request::builder().uri(uri).finish();
        parse(&request, |_: Paging, _| Some(())).unwrap_err()
    }

    #[test]
    fn a_misspelt_or_repeated_parameter_is_an_error() {
        let detail = problem("by=plays&limits=1").detail;
        let expected = "?limits: unknown parameter; expected one of limit, offset, by, after";
        assert_eq!(detail, expected);
        let detail = problem("by=plays&limit=1&limit=2").detail;
        assert_eq!(detail, "?limit: given more than once; expected once");
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let problem = problem("x=1&limit=0&offset=7");
        assert_eq!(problem.status, 422);
        let pointers: Vec<_> = problem.errors.iter().map(|error| &*error.pointer).collect();
        assert_eq!(pointers, ["?x", "?limit", "?by"]);
        assert!(problem.detail.ends_with("after (and 2 more)"), "{problem}");
    }

    #[test]
    fn valid_arguments_and_positions_are_read() {
        let uri = "/x?limit=3&by=streams&after=7:1234".parse().unwrap();
        let request = Request::builder().uri(uri).finish();
        let (arguments, after) = parse(&request, |paging: Paging, _| Some(paging)).unwrap();
        assert_eq!(arguments.limit, Some(Limit(3)));
        assert_eq!(arguments.offset, None);
        assert_eq!(arguments.by, Some(RankedBy(Metric::Streams)));
        assert_eq!(after, ["7:1234".parse().unwrap()]);
    }
}
