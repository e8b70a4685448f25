//! Two worlds in one guest: only one of the files defines what the host allocates with.

mod one;
mod two;

struct Guest;

impl one::Guest for Guest {
    fn shout(text: String) -> String {
        one::log(&text);
        text.to_uppercase()
    }
}

impl two::Guest for Guest {
    fn split(text: String) -> Vec<String> {
        two::warn(&["splitting".to_string(), text.clone()]);
        text.split(' ').map(String::from).collect()
    }
}

one::export!(Guest);
two::export!(Guest);
