//! What to do about a failed call, by the kind of its failure.
//!
//! In: a failure's code, and whose account was used. Out: advice, where the code alone says enough.
//! Always true: it names only what can cause such a failure; where the vendor's own reasons count
//! (it refuses, it forbids), nothing is said here.

/// What to do about a failure of this code on a call over this connection.
pub fn advice(code: &str, connection: Option<&str>) -> Option<String> {
    let (of, check) = match connection {
        Some(name) => (
            format!("connection `{name}`"),
            format!("`recipes connections check {name}`"),
        ),
        None => (
            "the connection".to_owned(),
            "`recipes connections check`".to_owned(),
        ),
    };
    Some(match code {
        "unreachable" => format!(
            "see whether the vendor is up and this machine may reach it, and check the address of \
             {of} in connections.yaml; {check} tries again"
        ),
        "address_not_allowed" => format!(
            "if that is really where {of} leads, name it in `allow_private_hosts` of settings.yaml"
        ),
        "wrong_base_url" => format!("correct the address of {of} in connections.yaml"),
        "timed_out" | "connection_lost" | "vendor_error" | "unavailable" => {
            format!("the vendor is slow or out of order: look again later; {check} tries it")
        }
        "too_many_requests" | "no_room" => {
            "the account made as many calls as it may: look again in a while".to_owned()
        }
        "sign_in_failed" => format!(
            "the account is refused: correct the user name, password, client or key of {of}, as \
             connections.yaml and the files or variables that it names give them; {check} tries again"
        ),
        "tls_failed" => format!("mend the encryption of {of}; {check} tries again"),
        "connection_incomplete" => {
            format!("give {of} what it lacks: `recipes connections` lists it")
        }
        "no_connection" => format!("add {of} to connections.yaml"),
        _ => return None,
    })
}
