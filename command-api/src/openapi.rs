//! The API's document: what `crate::api` says of itself, with the schemas of bodies made from schema's own types.
//! Nothing that runs depends on it.

mod response_examples;

use std::{
    collections::HashMap,
    io::{self, Write as _},
    process::ExitCode,
};

use ess_service::{auth::SecuredApi, openapi::DocumentedApi};
use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    LicenseObject, OpenApi, OpenApiService,
    registry::{MetaApi, Registry},
};

use self::response_examples::ResponseExamples;
use crate::api::Api;

const TITLE: &str = "ESS command-api";
const DESCRIPTION: &str = "Appends playback facts to the log of ESS, the Event Statistics Service. A 2xx is given only \
after the log has acknowledged the facts. Every path takes a trailing slash. Every error is an RFC 9457 problem: so are 404 for a path that is none, and 405, \
with `Allow`, for a method that a path does not take. \
Facts are read at the query-api.";

/// The service that answers, documented.
pub(crate) fn service<T: OpenApi>(
    api: T,
) -> OpenApiService<DocumentedApi<SecuredApi<T>, ResponseExamples>, ()> {
    OpenApiService::new(
        DocumentedApi::new(SecuredApi(api)),
        TITLE,
        env!("CARGO_PKG_VERSION"),
    )
    .description(DESCRIPTION)
    .license(LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
}

/// Prints the document to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn print() -> io::Result<ExitCode> {
    writeln!(io::stdout(), "{}", service(Documented).spec())?;
    Ok(ExitCode::SUCCESS)
}

/// The API without anything behind it: it can be documented, not called.
struct Documented;

type Routes = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl OpenApi for Documented {
    fn meta() -> Vec<MetaApi> {
        Api::meta()
    }

    fn register(registry: &mut Registry) {
        Api::register(registry);
    }

    fn add_routes(self, _: &mut Routes) {}
}
