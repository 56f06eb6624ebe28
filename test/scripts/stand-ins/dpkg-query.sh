# dpkg-query --status for what the test says is installed.
. "${0%/*}/state.sh"
shift
status=0
for name; do
  there=no
  while read -r line || [ -n "$line" ]; do
    [ "$line" != "$name" ] || there=yes
  done < "$base/installed"
  if [ "$there" = yes ]; then
    printf 'Package: %s\nEssential: no\nStatus: install ok installed\nDescription: some\n\n' "$name"
  else
    echo "dpkg-query: package '$name' is not installed and no information is available" >&2
    status=1
  fi
done
exit "$status"
