//! The route table of the Accredible stand-in, each route with the evidence it stands on.

use super::call::Call;
use super::reply::Answer;
use super::{bulk, credentials, groups, search_v1, search_v2};
use crate::wire::route::Provenance::Found;
use crate::wire::route::Route;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handler {
    pub(crate) run: fn(&mut Call<'_>) -> Answer,
    /// Whether the stricter limit of the old search counts.
    pub(crate) is_v1_search: bool,
}

const fn plain(run: fn(&mut Call<'_>) -> Answer) -> Handler {
    Handler {
        run,
        is_v1_search: false,
    }
}

const V1_SEARCH: Handler = Handler {
    run: search_v1::list,
    is_v1_search: true,
};

#[rustfmt::skip]
pub(crate) const ROUTES: [Route<Handler>; 16] = [
    Route::new(Found, "GET", "/v1/issuer/details", plain(groups::issuer)),
    Route::new(Found, "POST", "/v1/issuer/groups/search", plain(groups::search)),
    Route::new(Found, "GET", "/v1/issuer/all_groups", plain(groups::search)),
    Route::new(Found, "GET", "/v1/issuer/groups/{id}", plain(groups::get)),
    Route::new(Found, "POST", "/v1/issuer/groups", plain(groups::create)),
    Route::new(Found, "PUT", "/v1/issuer/groups/{id}", plain(groups::update)),
    Route::new(Found, "DELETE", "/v1/issuer/groups/{id}", plain(groups::delete)),
    Route::new(Found, "POST", "/v1/credentials", plain(credentials::create)),
    Route::new(Found, "GET", "/v1/credentials/{id}", plain(credentials::get)),
    Route::new(Found, "PUT", "/v1/credentials/{id}", plain(credentials::update)),
    Route::new(Found, "DELETE", "/v1/credentials/{id}", plain(credentials::delete)),
    Route::new(Found, "POST", "/v1/credentials/bulk_create", plain(bulk::v1)),
    Route::new(Found, "POST", "/v2/credentials/bulk_create", plain(bulk::v2)),
    Route::new(Found, "GET", "/v1/all_credentials", plain(search_v1::list)),
    Route::new(Found, "POST", "/v1/credentials/search", V1_SEARCH),
    Route::new(Found, "POST", "/v2/credentials/search", plain(search_v2::search)),
];
