# dpkg --configure -a: only that it was asked.
. "${0%/*}/state.sh"
