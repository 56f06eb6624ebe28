# What the stand-ins share that set-up asks at every start. In shell, which starts in a fiftieth of the time of Node: writing down how they were called.
base=$1
shift
tool=${0##*/}
echo "${tool%.sh} $*" >> "$base/calls"
