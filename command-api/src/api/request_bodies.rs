//! The bodies of both routes as documented requests. They are only taken here; [`crate::append_handler`] reads them.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaRequest, Registry},
};

use super::schemas;
use crate::body::{media_type::Route, upload::Upload};

macro_rules! body {
    ($(#[$doc:meta])* $name:ident, $route:expr) => {
        $(#[$doc])*
        pub(crate) struct $name<'r>(pub(crate) Upload<'r>);

        impl<'a> ApiExtractor<'a> for $name<'a> {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                schemas::register(registry);
            }

            fn request_meta() -> Option<MetaRequest> {
                Some(schemas::of($route))
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> Result<Self> {
                Ok(Self(Upload::of(request, body)))
            }
        }
    };
}

body!(
    /// The body of `POST /commands`.
    CommandsBody, Route::Commands);
body!(
    /// The body of `POST /events`.
    EventsBody, Route::Events);
