# apt-cache show: this system's lists have no newer names.
. "${0%/*}/state.sh"
exit 100
