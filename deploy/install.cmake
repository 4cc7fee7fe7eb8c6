# Where everything goes on a host, after the FHS; and the Debian package of it.
#
#   cmake -B build-package -G Ninja -DCMAKE_INSTALL_PREFIX=/usr && cpack -G DEB
#
# `tools/dev package` does that with Debian's compiler flags.

if(HS_SANITIZE OR HS_FUZZ OR HS_COVERAGE)
  return() # nobody installs these
endif()
include(GNUInstallDirs)

set(made ${CMAKE_BINARY_DIR}/deploy)
set(programs hearsayd hearsay-bench hearsay-sim hearsay-decode)
set(pages ${made}/man/hearsayd.8 ${made}/man/hearsay.conf.5 ${made}/man/hearsay-bench.1
          ${made}/man/hearsay-sim.1 ${made}/man/hearsay-decode.1)

# The pages and completions say what --help says, so the programs come first.
set(program_files)
foreach(program ${programs})
  list(APPEND program_files $<TARGET_FILE:${program}>)
endforeach()
add_custom_command(
  OUTPUT ${pages}
  COMMAND ${CMAKE_SOURCE_DIR}/tools/manual.py ${made} ${program_files}
  DEPENDS ${programs} ${CMAKE_SOURCE_DIR}/tools/manual.py
  VERBATIM)

# One unit for a host's only node, and one for several: the same but for names.
set(WHICH ", for a host with one node")
set(INSTANCE_TITLE "")
set(CONF hearsay)
set(DIR hearsay)
configure_file(deploy/systemd/hearsayd.service.in ${made}/hearsayd.service @ONLY)
set(WHICH ", for several nodes on one host: hearsayd@7001 reads\n# /etc/hearsay/7001.conf and lives in /var/lib/hearsay/7001")
set(INSTANCE_TITLE " %i")
set(CONF %i)
set(DIR hearsay/%i)
configure_file(deploy/systemd/hearsayd.service.in ${made}/hearsayd@.service @ONLY)

string(TIMESTAMP DEB_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(deploy/debian/changelog.in ${made}/changelog.Debian @ONLY)
add_custom_command(
  OUTPUT ${made}/changelog.gz
  COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/CHANGELOG.md > ${made}/changelog.gz
  COMMAND gzip -9nc ${made}/changelog.Debian > ${made}/changelog.Debian.gz
  DEPENDS CHANGELOG.md ${made}/changelog.Debian
  VERBATIM)

set(gzipped)
foreach(page ${pages})
  add_custom_command(OUTPUT ${page}.gz COMMAND gzip -9nkf ${page} DEPENDS ${page} VERBATIM)
  list(APPEND gzipped ${page}.gz)
endforeach()
add_custom_target(deploy ALL DEPENDS ${programs} ${gzipped} ${made}/changelog.gz)

set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # the target above is enough, without all tests
install(TARGETS ${programs} DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${made}/hearsayd.service ${made}/hearsayd@.service DESTINATION lib/systemd/system)
install(FILES deploy/sysusers.conf DESTINATION lib/sysusers.d RENAME hearsay.conf)
install(FILES deploy/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME hearsay.conf)
install(FILES deploy/hearsay.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/hearsay)
install(FILES deploy/logrotate.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/logrotate.d
        RENAME hearsay)
install(PROGRAMS deploy/alive deploy/kubernetes/hand-over deploy/kubernetes/meet-peers
        DESTINATION ${CMAKE_INSTALL_DATADIR}/hearsay)
install(FILES deploy/60-hearsay.conf deploy/seccomp.json deploy/prometheus-rules.yml
              deploy/grafana-dashboard.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/hearsay)
foreach(page ${gzipped})
  string(REGEX REPLACE ".*\\.([0-9])\\.gz$" "\\1" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
foreach(program ${programs})
  install(FILES ${made}/bash/${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${made}/zsh/_${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/hearsay RENAME copyright)
install(FILES ${made}/changelog.gz ${made}/changelog.Debian.gz README.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/hearsay)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # some files are for /etc, outside the prefix
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME hearsay)
set(CPACK_PACKAGE_CONTACT "the hearsay authors <hearsay@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Redis Cluster bus server")
set(CPACK_PACKAGE_DESCRIPTION
    "A daemon that takes part in the cluster bus of Redis and Valkey: it meets,
gossips, marks nodes failed and agrees on who owns which slot, and stores no
keys. With it come a load tool that plays a whole cluster to one node, a
simulator of clusters in virtual time, and a decoder of bus frames.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The postinst makes user and directories with these, booted by systemd or not;
# the small ones first, for containers: a host that has systemd has what is needed.
set(CPACK_DEBIAN_PACKAGE_DEPENDS 
    "systemd-standalone-sysusers | systemd, systemd-standalone-tmpfiles | systemd, passwd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "logrotate, procps, redis-tools")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
    ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
